/** Many clients at one relay: what they cost at rest, and how soon a new one is there. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { MEMORY, TIME } from "./figures.mjs";
import { pause, quantile, usage } from "./measure.mjs";
import { top } from "./place.mjs";

/** @typedef {import("./figures.mjs").Figures} Figures */
/** @typedef {{ port: number, pid: number }} Relay */

/** A client's program is cheap enough for ten thousand of them beside the relay on two cores. */
const PROGRAM = join(top, "build/release/crowd");
const NEWCOMERS = { count: 100, ms: 60_000 }; // a slow relay is known by fewer
const REST_MS = 10_000;
const KIB = 1024;
const EACH = { unit: "KiB", best: /** @type {const} */ ("low"), aim: 16 };

/**
 * @param {Figures} figures
 * @param {Relay} relay
 * @param {number} n clients
 */
export async function crowd(figures, relay, n) {
  const program = spawn(PROGRAM, [String(relay.port), String(n)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(program, "exit");
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  /** The next line's last word: microseconds. */
  const told = async () => {
    const { value, done } = await lines.next();
    if (done) {
      throw new Error(`the crowd of ${n} went home too early`);
    }
    return Number(value.split(" ").at(-1)) / 1000;
  };
  const among = `among ${n}`;
  const empty = usage(relay.pid);
  const joinMs = await told();
  figures.put(`joins, up to ${n}`, (n * 1000) / joinMs, { unit: "/s", best: "high" });
  await pause(REST_MS);
  const before = usage(relay.pid);
  figures.put(`memory ${among}`, before.mib - empty.mib, MEMORY);
  figures.put(`  of each ${among}`, ((before.mib - empty.mib) * KIB) / n, EACH);
  await pause(REST_MS);
  const spent = ((usage(relay.pid).seconds - before.seconds) * 100_000) / REST_MS;
  figures.put(`processor at rest ${among}`, spent, { unit: "%", best: "low" });
  /** @type {number[]} */
  const times = [];
  const began = performance.now();
  while (times.length < NEWCOMERS.count && performance.now() - began < NEWCOMERS.ms) {
    program.stdin.write("new\n");
    times.push(await told());
  }
  figures.put(`a new one is there ${among}, p50`, quantile(times, 0.5), { ...TIME, aim: 50 });
  figures.put(`a new one is there ${among}, p99`, quantile(times, 0.99), { ...TIME, aim: 50 });
  program.stdin.end();
  await ended;
  await pause(1000);
}
