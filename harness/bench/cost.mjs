/**
 * What a message costs, in instructions, which no load of the machine changes: in an empty server, and
 * in a room of 10,000 members on one with 1,000 rooms and a million events. The databases are made by
 * requests (test/cost) and kept in build/bench.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { built, inFolder, top } from "./place.mjs";

/** @typedef {import("./figures.mjs").Figures} Figures */

const run = promisify(execFile);

const MESSAGES = 100;
const SMALL = { rooms: 1, events: 100, members: 2 };
const LARGE = {
  rooms: 1000,
  events: Number(process.env.COST_EVENTS ?? 1_000_000),
  members: 10_000,
};
const WHAT = /** @type {const} */ ({ send: "a message", sync: "another's sync after it" });

/**
 * @param {string} program
 * @param {typeof SMALL} size
 * @param {string[]} [name] the server's
 * @returns {Promise<string>} a database
 */
export async function database(program, { rooms, events, members }, name = []) {
  const folder = join(top, "build/bench");
  const file = join(folder, `cost-${[rooms, events, members, ...name].join("-")}.db`);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(file)) {
    const part = `${file}.part`;
    await run("rm", ["-f", part, `${part}-wal`, `${part}-shm`]);
    await run(program, ["make", part, ...[rooms, events, members].map(String), ...name]);
    renameSync(part, file); // closed, so all of it is in this one file
  }
  return file;
}

/**
 * @param {string} program
 * @param {keyof typeof WHAT} what
 * @param {string} file
 * @returns {Promise<number>} instructions, of each
 */
function instructions(program, what, file) {
  return inFolder(async (folder) => {
    const out = join(folder, "callgrind.out");
    const valgrind = [
      "--tool=callgrind",
      `--callgrind-out-file=${out}`,
      "--toggle-collect=measured",
    ];
    await run("valgrind", [...valgrind, program, what, file, String(MESSAGES)]);
    const [, total] = /^totals: (\d+)$/m.exec(readFileSync(out, "utf8")) ?? [];
    return Number(total) / MESSAGES;
  });
}

/** @param {Figures} figures */
export async function cost(figures) {
  const program = built("release/cost");
  const small = await database(program, SMALL);
  const large = await database(program, LARGE);
  const where = `${LARGE.members} members, ${LARGE.rooms} rooms, ${LARGE.events} events`;
  for (const what of /** @type {(keyof typeof WHAT)[]} */ (Object.keys(WHAT))) {
    const few = await instructions(program, what, small);
    const many = await instructions(program, what, large);
    figures.put(`${WHAT[what]} in an empty server`, few / 1000, { unit: "k instr.", best: "low" });
    figures.put(`${WHAT[what]}: ${where}`, many / 1000, { unit: "k instr.", best: "low" });
    figures.put(`${WHAT[what]}: growth`, many / few, { unit: "times", best: "low", aim: 1.1 });
  }
}
