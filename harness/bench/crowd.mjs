/** Many clients at one relay: what they cost at rest, and how soon a new one is there. */
import { once } from "node:events";
import { Raw, identity, text } from "../../test/wire/support/raw.mjs";
import { MEMORY, TIME } from "./figures.mjs";
import { drive, pause, quantile, upTo, usage } from "./measure.mjs";

/** @typedef {import("./figures.mjs").Figures} Figures */
/** @typedef {{ port: number, pid: number }} Relay */

const HANDS = 8;
const NEWCOMERS = 40;
const PING_MS = 20_000;
const REST_MS = 10_000;
const WITHIN_MS = 180_000;

/**
 * Joins, and from then on looks at nothing it is told.
 *
 * @param {any} relay as test/wire's client knows it
 * @param {string} name
 */
async function attend(relay, name) {
  const raw = await Raw.open(relay);
  const self = identity(name);
  const address = relay.address(self.id);
  raw.emit("ss-presence"); // npm's relay ignores it
  const [error, nonce] = await raw.ask("ss-join", address, self.key);
  if (error) {
    throw new Error(`${name}: ${JSON.stringify(error)}`);
  }
  const answered = once(raw.socket, "data");
  raw.read = () => {};
  raw.write(text(`429${JSON.stringify(["ss-join", address, self.sign(nonce)])}`));
  await answered;
  return raw;
}

/**
 * @param {Figures} figures
 * @param {Relay} relay
 * @param {any} known
 * @param {number} n clients
 */
export async function crowd(figures, relay, known, n) {
  /** @type {Raw[]} */
  const all = [];
  const pings = setInterval(() => all.forEach((raw) => raw.write(text("2"))), PING_MS);
  try {
    const empty = usage(relay.pid).mib;
    const joining = await drive(HANDS, { count: n, ms: WITHIN_MS }, async (_hand, i) => {
      all.push(await attend(known, `crowd ${i}`));
    });
    if (all.length < n) {
      figures.note(`only ${all.length} of ${n} clients joined in ${WITHIN_MS / 1000} s`);
      return;
    }
    const among = `among ${n}`;
    figures.put(`joins, up to ${n}`, joining.perSecond, { unit: "/s", best: "high" });
    await pause(REST_MS);
    figures.put(`memory ${among}`, usage(relay.pid).mib - empty, MEMORY);
    const before = usage(relay.pid).seconds;
    await pause(REST_MS);
    const spent = ((usage(relay.pid).seconds - before) * 100_000) / REST_MS;
    figures.put(`processor at rest ${among}`, spent, { unit: "%", best: "low" });
    const { times } = await drive(1, { count: NEWCOMERS }, async (_hand, i) => {
      const raw = await Raw.open(known);
      await raw.join(`new ${n} ${i}`);
      raw.end();
    });
    figures.put(`a new one is there ${among}, p50`, quantile(times, 0.5), { ...TIME, aim: 50 });
    figures.put(`a new one is there ${among}, p99`, quantile(times, 0.99), { ...TIME, aim: 50 });
  } finally {
    clearInterval(pings);
    for (const i of upTo(all.length)) {
      all[i].end();
    }
    await pause(1000);
  }
}
