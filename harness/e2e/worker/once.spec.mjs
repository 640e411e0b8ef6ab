/**
 * Once, not twice: the worker is killed inside six kinds of write at once, while their commit waits,
 * and again when they are answered. A page that repeats a request under its id has it done once, and
 * answered alike. ONCE_ROUNDS is how often (5; 50 in the nightly run).
 */
import { tell } from "../../../test/client/reliability.mjs";
import { expect, test } from "../../fixtures.mjs";
import {
  answersOf,
  ask,
  begin,
  holdCommits,
  install,
  killWorkers,
  letCommit,
  wait,
} from "../../worker.mjs";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {{ status: number, text: string }} Answer */
/** @typedef {import("../../worker.mjs").Wanted} Wanted */
/** @typedef {{ token: string, userId: string, room: string, rooms: number }} Place */

const ROUNDS = Number(process.env.ONCE_ROUNDS ?? 5);
const CLIENT = "/_matrix/client/v3";
/** How long the commit is held up before the kill, in reads of the database: none, some, many. */
const MOMENTS = [0, 5, 30, 100, 300];
const auth = { type: "m.login.dummy" };

/**
 * The kinds, for round n: what is asked, and how often it was done, by what is there afterwards.
 *
 * @type {{ kind: string, ask: (place: Place, n: number) => [string, string, object],
 *   done: (found: Found, n: number) => number }[]}
 */
const writes = [
  {
    kind: "create a room",
    ask: (_, n) => ["POST", "/createRoom", { name: `room ${n}` }],
    done: ({ place, rooms }, n) => rooms - place.rooms - n,
  },
  {
    kind: "register",
    ask: (_, n) => ["POST", "/register", { username: `guest${n + 1}`, password: "p", auth }],
    done: ({ devices }) => devices,
  },
  {
    kind: "invite",
    ask: ({ room, userId }, n) => [
      "POST",
      `/rooms/${room}/invite`,
      { user_id: userId.replace("@alice", `@guest${n}`) },
    ],
    done: ({ events }, n) =>
      count(
        events,
        (e) => e.content.membership === "invite" && e.state_key.startsWith(`@guest${n}:`),
      ),
  },
  {
    kind: "upload keys",
    ask: (_, n) => ["POST", "/keys/upload", { one_time_keys: { [`curve25519:AA${n}`]: "key" } }],
    done: ({ keys }, n) => keys - n,
  },
  {
    kind: "send",
    ask: ({ room }, n) => [
      "PUT",
      `/rooms/${room}/send/m.room.message/t${n}`,
      { msgtype: "m.text", body: `text ${n}` },
    ],
    done: ({ events }, n) => count(events, (e) => e.content.body === `text ${n}`),
  },
  {
    kind: "change profile",
    ask: ({ userId }, n) => [
      "PUT",
      `/profile/${userId}/displayname`,
      { displayname: `alice ${n}` },
    ],
    done: ({ events, place }, n) =>
      count(events, (e) => e.state_key === place.userId && e.content.displayname === `alice ${n}`),
  },
];

/** @typedef {{ place: Place, rooms: number, devices: number, keys: number, events: any[] }} Found */

/**
 * @param {any[]} list
 * @param {(one: any) => boolean} is
 */
const count = (list, is) => list.filter(is).length;

/**
 * @param {Page} page
 * @param {string} token
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function must(page, token, method, path, body) {
  const headers = token === "" ? undefined : { authorization: `Bearer ${token}` };
  const text = body === undefined ? undefined : JSON.stringify(body);
  const { status, text: said, json } = await ask(page, method, `${CLIENT}${path}`, text, headers);
  expect(status, `${method} ${path}: ${said}`).toBe(200);
  return json;
}

/**
 * @param {Place} place
 * @param {number} n
 * @returns {Wanted[]}
 */
const requestsOf = (place, n) =>
  writes.map(({ kind, ask: asked }) => {
    const [method, path, body] = asked(place, n);
    const id = { "Neurite-Request-Id": `${kind.replaceAll(" ", "-")}-${n}` };
    const proof = { authorization: `Bearer ${place.token}` };
    return {
      path: `${CLIENT}${path}`,
      method,
      body: JSON.stringify(body),
      headers: kind === "register" ? id : { ...id, ...proof },
    };
  });

/**
 * @param {Page} page
 * @param {Place} place
 * @param {Answer[]} answers
 * @returns {Promise<Found>}
 */
async function look(page, place, answers) {
  const { token, room } = place;
  const guest = JSON.parse(answers[1].text).access_token;
  const history = await must(page, token, "GET", `/rooms/${room}/messages?dir=b&limit=30`);
  const { joined_rooms: rooms } = await must(page, token, "GET", "/joined_rooms");
  const { one_time_key_counts: keys } = await must(page, token, "POST", "/keys/upload", {});
  const { devices } = await must(page, guest, "GET", "/devices");
  return {
    place,
    rooms: rooms.length,
    devices: devices.length,
    keys: keys.curve25519,
    events: history.chunk,
  };
}

test.use({ module: "dendrite.wasm" });

test(`six kinds of write are done once, through ${2 * ROUNDS} deaths of the worker inside them`, async ({
  page,
  site,
  browserName,
}) => {
  test.setTimeout(60_000 + ROUNDS * 20_000);
  await install(page, site.origin);
  const password = { password: "p", auth };
  const alice = await must(page, "", "POST", "/register", { username: "alice", ...password });
  await must(page, "", "POST", "/register", { username: "guest0", ...password });
  const token = alice.access_token;
  const { room_id: room } = await must(page, token, "POST", "/createRoom", {});
  /** @type {Place} */
  const place = { token, userId: alice.user_id, room, rooms: 1 };
  const tally = { acknowledged: 0, lost: 0, duplicated: 0 };
  /** @type {string[]} */
  const wrong = [];

  for (let n = 0; n < ROUNDS; n++) {
    await holdCommits(page);
    await begin(page, requestsOf(place, n));
    await wait(page, MOMENTS[n % MOMENTS.length]);
    await killWorkers(page, browserName);
    await letCommit(page);
    const first = await answersOf(page);
    expect(first.map(({ status, text }) => (status === 200 ? "" : text)).join("")).toBe("");
    await killWorkers(page, browserName);
    await begin(page, requestsOf(place, n));
    const second = await answersOf(page);
    const found = await look(page, place, first);
    writes.forEach(({ kind, done }, i) => {
      const times = done(found, n);
      const isAlike = second[i].status === 200 && second[i].text === first[i].text;
      tally.acknowledged += 1;
      tally.lost += times < 1 ? 1 : 0;
      tally.duplicated += times > 1 || !isAlike ? 1 : 0;
      if (times !== 1 || !isAlike) {
        wrong.push(`round ${n}: ${kind}: done ${times} times, ${first[i].text}, ${second[i].text}`);
      }
    });
  }
  await tell({
    fault: `the worker is killed inside six kinds of write, before and after their commit, ${browserName}`,
    injected: 2 * ROUNDS,
    ...tally,
    command: `make reliability PARTS=browsers ONCE_ROUNDS=${ROUNDS}`,
  });
  expect(wrong).toEqual([]);
});
