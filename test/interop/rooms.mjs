/** What a user's server tells of a room, and waiting until it tells what is expected. */
import assert from "node:assert/strict";

import { enc } from "../client/matrix.mjs";

/** @typedef {import("../client/matrix.mjs").User} User */

const WITHIN_MS = 30_000;

/**
 * Asks until the answer fits.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {(answer: T) => unknown} fits
 * @param {string} what
 */
export async function eventually(ask, fits, what) {
  const end = Date.now() + WITHIN_MS;
  for (;;) {
    const answer = await ask();
    if (fits(answer)) {
      return answer;
    }
    assert.ok(Date.now() < end, `never came true: ${what}: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * @param {User} user
 * @param {string} room
 * @param {string} userId
 */
export const membership = (user, room, userId) =>
  user.call("GET", `/rooms/${enc(room)}/state/m.room.member/${enc(userId)}`);

/**
 * The rows in one order, so that two servers' can be compared.
 * @param {string[]} rows
 */
const sorted = (rows) => rows.toSorted((a, b) => (a < b ? -1 : 1));

/**
 * @param {User} user
 * @param {string} room
 * @returns {Promise<string[]>} type, key and event id of each entry
 */
export async function stateOf(user, room) {
  const state = await user.must("GET", `/rooms/${enc(room)}/state`);
  return sorted(state.map((/** @type {any} */ e) => `${e.type} ${e.state_key} ${e.event_id}`));
}

/**
 * @param {User} user
 * @param {string} room
 * @returns {Promise<any[]>} all events, the newest first
 */
export async function timelineOf(user, room) {
  const all = [];
  /** @type {string | undefined} */
  let from;
  do {
    /** @type {any} */
    const page = await user.must("GET", `/rooms/${enc(room)}/messages`, {
      query: { dir: "b", limit: 100, ...(from === undefined ? {} : { from }) },
    });
    all.push(...page.chunk);
    from = page.end;
  } while (from !== undefined);
  return all;
}

/**
 * Id, sender and content of every event in the timeline but those of `but`.
 * @param {User} user
 * @param {string} room
 * @param {string[]} [but] senders
 */
async function eventsOf(user, room, but = []) {
  const events = (await timelineOf(user, room)).filter((e) => !but.includes(e.sender));
  const parts = (/** @type {any} */ e) => [e.event_id, e.type, e.state_key ?? null, e.sender];
  const ordered = (/** @type {any} */ content) => Object.entries(content).sort();
  return sorted(
    events.map((e) => JSON.stringify([...parts(e), e.origin_server_ts, ordered(e.content)])),
  );
}

/**
 * Waits until two servers tell the same state and the same events.
 * @param {User} one
 * @param {User} other
 * @param {string} room
 * @param {string[]} [but] whose events one of them may rightly hide
 */
export async function sameRoom(one, other, room, but) {
  const ask = async () => [
    [await stateOf(one, room), await eventsOf(one, room, but)],
    [await stateOf(other, room), await eventsOf(other, room, but)],
  ];
  const same = (/** @type {string[][][]} */ [a, b]) => JSON.stringify(a) === JSON.stringify(b);
  await eventually(ask, same, "both tell the same state and events");
}
