/** Our relay beside npm's: messages a second through pairs of clients, the time of an echo, memory. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Raw, chunk } from "../../test/wire/support/raw.mjs";
import { startRelay } from "../services/programs.mjs";
import { crowd } from "./crowd.mjs";
import { MEMORY, RATE, TIME } from "./figures.mjs";
import { drive, pause, quantile, upTo, usage } from "./measure.mjs";
import { PORT, top } from "./place.mjs";
import { stack } from "./stack.mjs";
import { manyStreams, slowReaders } from "./strain.mjs";

/** @typedef {import("./figures.mjs").Figures} Figures */
/** @typedef {Awaited<ReturnType<typeof startRelay>>} Relay */
/** @typedef {{ near: Raw, far: Raw, id: string }} Pair */

const NPM = join(top, "test/wire/node_modules/libp2p-websocket-star-rendezvous/src/bin.js");
const SECONDS = Number(process.env.SECONDS ?? 5);
const IN_FLIGHT_BYTES = 1024 * 1024;
const IN_FLIGHT_MAX = 1000;
const ECHOES = 3000;
const CLIENTS = 200;
const SETTLE_MS = 3000;
/** As many as npm's relay carries: at 950 it is saturated. And as many as ours shall. */
const SMALL_CROWD = Number(process.env.SMALL_CROWD ?? 900);
const LARGE_CROWD = Number(process.env.LARGE_CROWD ?? 10000);
const SIZES = [100, 1024, 64 * 1024];

/** @param {Figures} figures */
export async function relay(figures) {
  await load(figures, await startRelay(PORT));
  figures.side = "peer";
  if (existsSync(NPM)) {
    // Its metrics end it on the first path it does not know.
    await load(figures, await startRelay(PORT + 1, [process.execPath, NPM, "--disableMetrics"]));
  } else {
    figures.note("no relay beside it: npm's is not in test/wire/node_modules");
  }
}

/** @param {Figures} figures @param {Relay} relay */
async function load(figures, relay) {
  try {
    await memory(figures, relay);
    for (const pairs of [1, 10]) {
      for (const size of SIZES) {
        await throughput(figures, relay, pairs, size);
      }
    }
    await echo(figures, relay);
    await slowReaders(figures, known(relay), relay.pid);
    await manyStreams(figures, known(relay), relay.pid);
    await stack(figures, relay); // before ten thousand, whom one of the two does not meet, go home
    await crowd(figures, relay, SMALL_CROWD);
    if (figures.side === "ours") {
      await crowd(figures, relay, LARGE_CROWD);
    }
  } finally {
    await relay.stop();
  }
}

/**
 * What test/wire's client wants to know of a relay.
 *
 * @param {Relay} relay
 */
function known({ port }) {
  const address = (/** @type {string} */ id) =>
    `/ip4/127.0.0.1/tcp/${port}/ws/p2p-websocket-star/ipfs/${id}`;
  return /** @type {any} */ ({ port, address });
}

/**
 * A message's bytes come in two frames, and only the second is binary. This counts those of a socket
 * without looking at what is in them.
 *
 * @param {Raw} raw
 * @param {(n: number) => void} onMessages how many ended in what just came in
 */
function countMessages(raw, onMessages) {
  /** @type {Buffer} */
  let left = Buffer.alloc(0);
  raw.read = (data) => {
    const bytes = left.length > 0 ? Buffer.concat([left, data]) : data;
    let n = 0;
    let at = 0;
    for (;;) {
      const end = frameEnd(bytes, at);
      if (end < 0 || end > bytes.length) {
        break;
      }
      n += (bytes[at] & 15) === 2 ? 1 : 0;
      at = end;
    }
    left = bytes.subarray(at);
    onMessages(n);
  };
}

/**
 * @param {Buffer} bytes
 * @param {number} at where a frame without a mask begins
 * @returns {number} where the next one does; -1: not known yet
 */
function frameEnd(bytes, at) {
  const short = bytes[at + 1] & 127;
  const head = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < at + head) {
    return -1;
  }
  const n =
    short < 126
      ? short
      : short === 126
        ? bytes.readUInt16BE(at + 2)
        : Number(bytes.readBigUInt64BE(at + 2));
  return at + head + n;
}

/**
 * @param {Relay} relay
 * @param {number} n
 * @returns {Promise<Pair[]>} clients with a stream between them
 */
async function connect(relay, n) {
  const pairs = [];
  for (const i of upTo(n)) {
    const near = await Raw.open(known(relay));
    const far = await Raw.open(known(relay));
    await near.join(`near ${i}`);
    await far.join(`far ${i}`);
    const id = `bench-${i}`;
    await near.dial(far, id);
    pairs.push({ near, far, id });
  }
  return pairs;
}

/** @param {Pair[]} pairs */
const end = (pairs) => pairs.forEach(({ near, far }) => (near.end(), far.end()));

/**
 * @param {Figures} figures
 * @param {Relay} relay
 * @param {number} n pairs
 * @param {number} size of a message
 */
async function throughput(figures, relay, n, size) {
  const pairs = await connect(relay, n);
  const most = Math.min(IN_FLIGHT_MAX, Math.floor(IN_FLIGHT_BYTES / n / size));
  const half = Math.ceil(most / 2);
  let total = 0;
  for (const { near, far, id } of pairs) {
    const one = chunk(`${id}.dialer`, Buffer.alloc(size, "x"));
    const batch = Buffer.concat(upTo(half).map(() => one));
    let flying = 2 * half;
    countMessages(near, () => {});
    countMessages(far, (messages) => {
      total += messages;
      flying -= messages;
      for (; flying <= half; flying += half) {
        near.write(batch);
      }
    });
    near.write(batch);
    near.write(batch);
  }
  await pause(500); // as fast as it gets
  const before = { total, at: performance.now(), spent: usage(relay.pid).seconds };
  await pause(SECONDS * 1000);
  const messages = total - before.total;
  const name = `${size} B through ${n} pair${n > 1 ? "s" : ""}`;
  const seconds = (performance.now() - before.at) / 1000;
  const spent = usage(relay.pid).seconds - before.spent;
  // A large message is mostly the kernel's work, here and there.
  const aim = (/** @type {number} */ times) => (size > 1024 ? {} : { times });
  figures.put(`messages, ${name}`, messages / seconds, { ...RATE, ...aim(5) });
  figures.put(`  per processor second, ${name}`, messages / spent, { ...RATE, ...aim(10) });
  end(pairs);
  await pause(200);
}

/** @param {Figures} figures @param {Relay} relay */
async function echo(figures, relay) {
  const pairs = await connect(relay, 1);
  const [{ near, far, id }] = pairs;
  const there = chunk(`${id}.dialer`, Buffer.alloc(100));
  const back = chunk(`${id}.listener`, Buffer.alloc(100));
  /** @type {(value?: unknown) => void} */
  let heard = () => {};
  countMessages(far, (n) => n > 0 && far.write(back));
  countMessages(near, (n) => n > 0 && heard());
  const { times } = await drive(1, { count: ECHOES }, () => {
    const answer = new Promise((resolve) => (heard = resolve));
    near.write(there);
    return answer;
  });
  const warm = times.slice(ECHOES / 10);
  figures.put("echo of 100 B, p50", quantile(warm, 0.5), TIME);
  figures.put("echo of 100 B, p99", quantile(warm, 0.99), { ...TIME, aim: 0.5 });
  end(pairs);
}

/** @param {Figures} figures @param {Relay} relay */
async function memory(figures, relay) {
  await pause(SETTLE_MS);
  const empty = usage(relay.pid).mib;
  figures.put("memory with no client", empty, { ...MEMORY, aim: 8 });
  /** @type {Raw[]} */
  const clients = [];
  await drive(10, { count: CLIENTS }, async (_hand, i) => {
    const client = await Raw.open(known(relay));
    await client.join(`idle ${i}`);
    countMessages(client, () => {});
    clients.push(client);
  });
  await pause(SETTLE_MS);
  const each = ((usage(relay.pid).mib - empty) * 1024) / CLIENTS;
  figures.put(`memory of each of ${CLIENTS} clients`, each, { unit: "KiB", best: "low", aim: 16 });
  clients.forEach((client) => client.end());
  await pause(SETTLE_MS);
}
