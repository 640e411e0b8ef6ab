/** A load on one homeserver, ours or another's: what it does in a second, how long it takes, what it holds. */
import { Homeserver } from "./client.mjs";
import { MEMORY, RATE, TIME } from "./figures.mjs";
import { drive, pause, quantile, upTo, usage } from "./measure.mjs";

/** @typedef {import("./client.mjs").Account} Account */
/** @typedef {import("./figures.mjs").Figures} Figures */

const SECONDS = Number(process.env.SECONDS ?? 5);
const SENDERS = 32;
const CONNECTIONS = 8;
const LISTENERS = 50;
const ROOMS = 40;
const JOINS = 100;
const IN_ROOMS = [50, 200];
const PAGES = 40;
const SAMPLES = 100;
const TEXT = "Hello, this is a message of an ordinary length, as people write them.";

/** What was published for a peer to reach, as times of it. */
const AIM_ONE = 60;
const AIM_MANY = 100;
const AIM_LATENCY = 20;
const AIM_MEMORY = 10;

/**
 * @param {Figures} figures
 * @param {string} base
 * @param {number} pid
 */
export async function loadHomeserver(figures, base, pid) {
  const server = new Homeserver(base);
  const narrow = new Homeserver(base, CONNECTIONS);
  await pause(1000);
  figures.put("memory idle", usage(pid).mib, { ...MEMORY, times: AIM_MEMORY });
  const users = await Promise.all(upTo(8).map(() => server.register()));
  users.push(...(await several(LISTENERS + 1 - users.length, () => server.register())));
  await sending(figures, users, narrow, pid);
  await latency(figures, users, 1);
  await latency(figures, users, LISTENERS);
  await making(figures, users);
  await reading(figures, users);
  figures.put("memory after all that", usage(pid).mib, { ...MEMORY, times: AIM_MEMORY });
  server.close();
  narrow.close();
}

/**
 * Results of n calls, a few at a time.
 *
 * @template T
 * @param {number} n
 * @param {(i: number) => Promise<T>} call
 */
async function several(n, call) {
  /** @type {T[]} */
  const results = [];
  await drive(4, { count: n, ms: Infinity }, async (_hand, i) => {
    results[i] = await call(i);
  });
  return results;
}

/**
 * Messages a second into one room, by 1, 8 and 32 people over at most eight connections.
 *
 * @param {Figures} figures
 * @param {Account[]} users
 * @param {Homeserver} narrow
 * @param {number} pid
 */
async function sending(figures, users, narrow, pid) {
  const room = await users[0].createRoom();
  await several(SENDERS - 1, (i) => users[i + 1].join(room));
  const senders = users.slice(0, SENDERS).map((user) => {
    return Object.assign(Object.create(Object.getPrototypeOf(user)), user, { server: narrow });
  });
  await drive(4, { ms: 1000, count: 200 }, (hand) => senders[hand].say(room, TEXT));
  for (const hands of [1, 8, SENDERS]) {
    const before = usage(pid).seconds;
    const own = process.cpuUsage();
    const { perSecond, times } = await drive(hands, { ms: SECONDS * 1000 }, (hand) =>
      senders[hand].say(room, TEXT),
    );
    const spent = usage(pid).seconds - before;
    const { user, system } = process.cpuUsage(own);
    const name = `sends by ${hands} in one room`;
    const aim = { times: hands === 1 ? AIM_ONE : AIM_MANY };
    figures.put(name, perSecond, hands === 8 ? RATE : { ...RATE, ...aim });
    figures.put(`${name}, p50`, quantile(times, 0.5), TIME);
    figures.put(`${name}, p99`, quantile(times, 0.99), TIME);
    figures.put(`${name}, processor time of each`, (spent * 1000) / times.length, TIME);
    if ((user + system) / 1e6 > SECONDS * 0.8) {
      figures.note(`${name}: the client was as busy as it can be, so the server may do more`);
    }
  }
}

/**
 * From a send to its arrival in the last of some long polls.
 *
 * @param {Figures} figures
 * @param {Account[]} users
 * @param {number} n
 */
async function latency(figures, users, n) {
  const [speaker, ...rest] = users;
  const listeners = rest.slice(0, n);
  const room = await speaker.createRoom();
  await several(n, (i) => listeners[i].join(room));
  const tokens = await several(n, async (i) => nextOf(await listeners[i].sync(0)));
  const samples = n === 1 ? SAMPLES : Math.ceil(SAMPLES / 4);
  const times = [];
  const sends = [];
  for (let k = 0; k < samples; k++) {
    const text = `sample ${k} for ${n}`;
    const seen = Promise.all(
      listeners.map(async (listener, i) => {
        for (let said = ""; !said.includes(`"${text}"`);) {
          said = (await listener.sync(10_000, tokens[i])).toString();
          tokens[i] = nextOf(said);
        }
      }),
    );
    await pause(20); // so that all of them wait at the server
    const began = performance.now();
    const sent = speaker.say(room, text).then(() => sends.push(performance.now() - began));
    await seen;
    times.push(performance.now() - began);
    await sent;
  }
  const who = n === 1 ? "another's sync" : `the last of ${n} syncs`;
  const aim = n === 1 ? { times: AIM_LATENCY } : {};
  figures.put(`send to ${who}, p50`, quantile(times, 0.5), { ...TIME, ...aim });
  figures.put(`send to ${who}, p99`, quantile(times, 0.99), { ...TIME, ...aim });
}

/** @param {Buffer | string} said */
const nextOf = (said) => JSON.parse(said.toString()).next_batch;

/**
 * @param {Figures} figures
 * @param {Account[]} users
 */
async function making(figures, users) {
  const rooms = await drive(8, { count: ROOMS }, (hand) => users[hand].createRoom());
  figures.put("rooms created, 8 at once", rooms.perSecond, RATE);
  const { server } = users[0];
  const guests = await several(JOINS, () => server.register());
  const room = await users[0].createRoom();
  const joins = await drive(8, { count: JOINS }, (_hand, i) => guests[i].join(room));
  figures.put("joins to one room, 8 at once", joins.perSecond, RATE);
}

/**
 * First syncs of somebody who is in many rooms, and pages of history.
 *
 * @param {Figures} figures
 * @param {Account[]} users
 */
async function reading(figures, users) {
  const owner = users[0];
  const most = Math.max(...IN_ROOMS);
  const rooms = await several(most, async () => {
    const room = await owner.createRoom();
    for (let k = 0; k < 5; k++) {
      await owner.say(room, TEXT);
    }
    return room;
  });
  for (const n of IN_ROOMS) {
    const reader = await owner.server.register();
    await several(n, (i) => reader.join(rooms[i]));
    const { times } = await drive(1, { count: 5 }, (_hand, i) => reader.sync(i)); // no two alike
    figures.put(`first sync of ${n} rooms, p50`, quantile(times, 0.5), TIME);
  }
  await several(100, (i) => owner.say(rooms[0], `${TEXT} ${i}`));
  const path = `/rooms/${encodeURIComponent(rooms[0])}/messages?dir=b&limit=100`;
  const { perSecond } = await drive(1, { count: PAGES }, () => owner.must("GET", path));
  figures.put("pages of 100 events of history", perSecond, RATE);
}
