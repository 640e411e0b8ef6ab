/** What strains a relay's memory: readers that do not read, and very many streams one after the other. */
import { Raw, chunk } from "../../test/wire/support/raw.mjs";
import { MEMORY } from "./figures.mjs";
import { drive, pause, upTo, usage } from "./measure.mjs";

/** @typedef {import("./figures.mjs").Figures} Figures */
/** @typedef {import("../../test/wire/support/relay.mjs").Relay} Relay what test/wire's client wants of one */

const SENT_BYTES = 200 * 1024 * 1024;
const CHUNK = Buffer.alloc(16 * 1024, "x");
const STALL_MS = 3000; // a relay that takes nothing for so long has paused the sender
const BOUND = { ...MEMORY, aim: 16 }; // 8 empty, and 8 that `queue-max` lets wait for a receiver
const HANDS = 10;
const WARM = 2000;
const STREAMS = { ours: 100_000, peer: 10_000 };
const STREAMS_MS = 300_000;
const LEAK = { unit: "KiB", best: /** @type {const} */ ("low"), aim: 0.01 };
const SP = "socket.io-pull-stream";

/**
 * How a reader comes to be one for whom everything would have to wait.
 *
 * @type {Record<string, (near: Raw, far: Raw, id: string) => Promise<unknown>>}
 */
const readers = {
  "that stops reading": async (near, far, id) => {
    await near.dial(far, id);
    far.socket.pause();
  },
  "that never accepts": async (near, far, id) => {
    near.emit("ss-dial", near.address, far.address, id); // its answer is not awaited: none comes
    await far.says();
  },
  "that went away": async (near, far, id) => {
    await near.dial(far, id);
    far.end();
  },
};

/** @param {Raw} near @param {string} id @returns {Promise<void>} once all is written, or nothing is taken */
async function push(near, id) {
  const one = chunk(`${id}.dialer`, CHUNK);
  for (let sent = 0; sent < SENT_BYTES; sent += CHUNK.length) {
    if (!near.write(one)) {
      const drained = new Promise((resolve) => near.socket.once("drain", () => resolve(true)));
      if (!(await Promise.race([drained, pause(STALL_MS)]))) {
        return;
      }
    }
  }
}

/** @param {Figures} figures @param {Relay} relay @param {number} pid */
export async function slowReaders(figures, relay, pid) {
  for (const [i, [who, meet]] of Object.entries(readers).entries()) {
    const near = await Raw.open(relay);
    const far = await Raw.open(relay);
    await near.join(`pushes ${i}`);
    await far.join(`is slow ${i}`);
    await meet(near, far, `slow-${i}`);
    near.read = () => {};
    await push(near, `slow-${i}`);
    figures.put(`memory after 200 MiB to a reader ${who}`, usage(pid).mib, BOUND);
    near.end();
    far.end();
  }
}

/** @param {Figures} figures @param {Relay} relay @param {number} pid */
export async function manyStreams(figures, relay, pid) {
  /** @type {[Raw, Raw][]} */
  const pairs = [];
  for (const i of upTo(HANDS)) {
    const near = await Raw.open(relay);
    const far = await Raw.open(relay);
    await near.join(`opens ${i}`);
    await far.join(`is opened ${i}`);
    pairs.push([near, far]);
  }
  const stream = async (/** @type {number} */ hand, /** @type {string} */ id) => {
    const [near, far] = pairs[hand];
    await near.dial(far, id);
    near.emit(`${SP}.error.${id}.dialer`, true);
    await far.says();
    far.emit(`${SP}.error.${id}.listener`, true);
    await near.says();
  };
  await drive(HANDS, { count: WARM }, (hand, i) => stream(hand, `warm-${i}`));
  const before = usage(pid).mib;
  const bounds = { count: STREAMS[figures.side], ms: STREAMS_MS };
  const { times, perSecond } = await drive(HANDS, bounds, (hand, i) => stream(hand, `many-${i}`));
  const kib = ((usage(pid).mib - before) * 1024) / times.length;
  figures.put("streams opened and ended", perSecond, { unit: "/s", best: "high" });
  figures.put(`  of each is left, after ${STREAMS.ours} (npm's: ${STREAMS.peer})`, kib, LEAK);
  pairs.flat().forEach((raw) => raw.end());
}
