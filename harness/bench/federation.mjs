/**
 * Servers that share rooms over HTTPS, native ones and, for the join of a large room, a real Synapse
 * beside: each joins the same room of the same server, one after the other. And what resolving the
 * state of forks costs, in processor time.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Authority } from "../../test/client/authority.mjs";
import { startNeurite, startSynapse } from "../services/programs.mjs";
import { Homeserver } from "./client.mjs";
import { database } from "./cost.mjs";
import { MEMORY, RATE } from "./figures.mjs";
import { drive, pause, usage } from "./measure.mjs";
import { built, inFolder, PORT, top } from "./place.mjs";

/** @typedef {import("./client.mjs").Account} Account */
/** @typedef {import("./figures.mjs").Figures} Figures */
/** @typedef {{ base: string, pid: number, stop: () => Promise<unknown> }} Running */

const run = promisify(execFile);

const MEMBERS = Number(process.env.FEDERATION_MEMBERS ?? 10_000);
const MISSED = Number(process.env.FEDERATION_MISSED ?? 10_000);
const SENT = 2000;
const OTHERS = 3;
const HANDS = 8;
const FORKS = 16;
const EVENTS_OF_FORK = [200, 800]; // power levels, and as many names
const TRIES = 5;
const FIRST_PORT = PORT + 50;
const SECONDS = { unit: "s", best: /** @type {const} */ ("low") };
const TEXT = "Hello, this is a message of an ordinary length, as people write them.";

/** @param {number} i */
const nameOf = (i) => `localhost:${FIRST_PORT + i}`;

/** That of the Synapse, where there is one. */
async function theAuthority() {
  const folder = join(process.env.FEDERATION ?? join(top, "build/bench/federation"), "ca");
  const authority = new Authority(folder);
  if (!existsSync(authority.certificate)) {
    await mkdir(folder, { recursive: true });
    await authority.make();
  }
  return authority;
}

/**
 * @param {Authority} authority
 * @param {string} folder
 * @param {number} i of its name
 * @returns {Promise<Running>}
 */
async function startServer(authority, folder, i) {
  const files = await authority.certify(`bench-${i}`, "DNS:localhost");
  const trust = ["--federation-ca", authority.certificate, "--federation-allow-loopback"];
  const at = ["--server-name", nameOf(i), "--federation-listen", `127.0.0.1:${FIRST_PORT + i}`];
  return startNeurite(folder, undefined, [...at, ...files, ...trust]);
}

/**
 * Seconds until `use` is done.
 *
 * @param {() => Promise<unknown>} use
 */
async function timed(use) {
  const began = performance.now();
  await use();
  return (performance.now() - began) / 1000;
}

/**
 * @param {Figures} figures
 * @param {Running} server who joins the room of many members
 */
async function joinLarge(figures, server) {
  const client = new Homeserver(server.base);
  const user = await client.register();
  await pause(1000);
  const idle = usage(server.pid).mib;
  const path = `/join/${encodeURIComponent(`#first:${nameOf(0)}`)}`;
  const seconds = await timed(() => user.must("POST", path, {}));
  figures.put(`join of a remote room of ${MEMBERS} members`, seconds, SECONDS);
  figures.put("memory that it took", usage(server.pid).mib - idle, MEMORY);
  client.close();
}

/**
 * @param {Figures} figures
 * @param {Authority} authority
 */
async function joins(figures, authority) {
  const name = [nameOf(0)];
  const made = await database(
    built("release/cost"),
    { rooms: 1, events: 100, members: MEMBERS },
    name,
  );
  await inFolder(async (folder) => {
    await copyFile(made, join(folder, "neurite.db"));
    const host = await startServer(authority, folder, 0);
    try {
      await inFolder(async (near) => {
        const ours = await startServer(authority, near, 1);
        await joinLarge(figures, ours).finally(() => ours.stop());
      });
      if (!process.env.FEDERATION) {
        figures.note(process.env.SYNAPSE_WHY ?? "no Synapse beside it: FEDERATION names no folder");
        return;
      }
      figures.side = "peer";
      const theirs = await startSynapse(process.env.FEDERATION);
      await joinLarge(figures, theirs).finally(() => theirs.stop());
    } finally {
      figures.side = "ours";
      await host.stop();
    }
  });
}

/**
 * Waits until somebody's /sync tells a text.
 *
 * @param {Account} reader
 * @param {string} text
 */
async function sees(reader, text) {
  /** @type {string | undefined} */
  let since;
  for (let said = ""; !said.includes(`"${text}"`);) {
    said = (await reader.sync(10_000, since)).toString();
    since = JSON.parse(said).next_batch;
  }
}

/**
 * @param {Account} speaker
 * @param {string} room
 * @param {number} count
 * @param {string} last
 */
async function sayAll(speaker, room, count, last) {
  await drive(HANDS, { count, ms: Infinity }, () => speaker.say(room, TEXT));
  await speaker.say(room, last);
}

/**
 * One server's messages in three others, and in one that was away.
 *
 * @param {Figures} figures
 * @param {Authority} authority
 * @param {string[]} folders of the servers
 */
async function sharing(figures, authority, folders) {
  const servers = await Promise.all(folders.map((f, i) => startServer(authority, f, i)));
  try {
    const users = await Promise.all(servers.map(({ base }) => new Homeserver(base).register()));
    const alias = { preset: "public_chat", room_alias_name: "shared" };
    const made = JSON.parse((await users[0].must("POST", "/createRoom", alias)).toString());
    const path = `/join/${encodeURIComponent(`#shared:${nameOf(0)}`)}`;
    for (const user of users.slice(1)) {
      await user.must("POST", path, {});
    }
    const all = await timed(async () => {
      const seen = users.slice(1).map((user) => sees(user, "that was all"));
      await sayAll(users[0], made.room_id, SENT, "that was all");
      await Promise.all(seen);
    });
    figures.put(`messages of one server, seen in ${OTHERS} others`, SENT / all, RATE);
    await servers[1].stop();
    await sayAll(users[0], made.room_id, MISSED, "while you were away");
    servers[1] = await startServer(authority, folders[1], 1);
    const back = Object.assign(Object.create(Object.getPrototypeOf(users[1])), users[1], {
      server: new Homeserver(servers[1].base),
    });
    const caughtUp = await timed(async () => {
      await back.say(made.room_id, "I am back");
      await sees(back, "while you were away");
    });
    figures.put(`catch-up of ${MISSED} events after an absence`, caughtUp, SECONDS);
    figures.put("the same, events a second", MISSED / caughtUp, RATE);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/**
 * @param {number} n
 * @param {(folders: string[]) => Promise<void>} use
 * @param {string[]} [folders]
 * @returns {Promise<void>}
 */
function inFolders(n, use, folders = []) {
  return n === 0 ? use(folders) : inFolder((folder) => inFolders(n - 1, use, [...folders, folder]));
}

/**
 * @param {number} events of each fork
 * @returns {Promise<{ events: number, seconds: number }>} the fastest of some
 */
async function resolution(events) {
  const tries = [];
  for (let i = 0; i < TRIES; i++) {
    const { stdout } = await run(built("release/forks"), [String(FORKS), String(events)]);
    tries.push(stdout.split(" ").map(Number));
  }
  return { events: tries[0][0], seconds: Math.min(...tries.map(([, seconds]) => seconds)) };
}

/** @param {Figures} figures */
async function resolving(figures) {
  const [few, many] = [await resolution(EVENTS_OF_FORK[0]), await resolution(EVENTS_OF_FORK[1])];
  const what = `state resolution of ${FORKS} forks`;
  const each = [few, many].map(({ events, seconds }) => events / seconds);
  figures.put(`${what}, ${few.events} events`, each[0], RATE);
  figures.put(`${what}, ${many.events} events`, each[1], RATE);
  const growth = { unit: "times", best: /** @type {const} */ ("low") };
  figures.put(`${what}: growth of an event's cost`, each[0] / each[1], growth);
}

/** @param {Figures} figures */
export async function federation(figures) {
  await resolving(figures);
  const authority = await theAuthority();
  await inFolders(OTHERS + 1, (folders) => sharing(figures, authority, folders));
  await joins(figures, authority);
}
