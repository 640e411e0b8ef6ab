/**
 * From one browser to the other: from a fetch to another's sync, which is the homeservers' part, and from
 * Enter to the text in the other's timeline, which is all of it with the client on both sides.
 */
import { chromium, firefox } from "@playwright/test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Person } from "../pages/person.mjs";
import { startRelay, startWeb } from "../services/programs.mjs";
import { Gate } from "../services/gate.mjs";
import { TIME } from "./figures.mjs";
import { quantile, upTo } from "./measure.mjs";
import { PORT, inFolder, top } from "./place.mjs";

/** @typedef {import("./figures.mjs").Figures} Figures */

const SAMPLES = Number(process.env.LATENCY_SAMPLES ?? 50);
const ROOM = { name: "Bench", topic: "How long it takes", alias: "bench" };

/** @param {Figures} figures */
export async function latency(figures) {
  if (!existsSync(join(top, "build/riot/index.html"))) {
    figures.note("not measured: the client is not in build/riot (make riot)");
    return;
  }
  await inFolder(async (folder) => {
    const relay = await startRelay(PORT + 10);
    const web = await startWeb(join(folder, "web"), PORT + 11, relay.port);
    const gate = new Gate(() => {});
    const port = await gate.start();
    const people = [chromium, firefox].map((type, i) => {
      const [name, displayName] = i === 0 ? ["alice", "Alice"] : ["bob", "Bob"];
      const profile = join(folder, name);
      const watch = () => {};
      return new Person(type, {
        name,
        displayName,
        profile,
        origin: web.origin,
        gate: port,
        watch,
      });
    });
    try {
      const room = await meet(people);
      const [one, other] = people;
      await measure(figures, room, one, other);
      await measure(figures, room, other, one);
      for (const person of people) {
        const { commit } = (await person.status()).worker;
        const name = `${person.browserName}: commit meanwhile`;
        figures.put(`${name}, p50`, commit.p50_ms, { ...TIME, aim: 5 });
        figures.put(`${name}, p99`, commit.p99_ms, TIME);
      }
    } finally {
      await Promise.all(people.map((person) => person.close()));
      await gate.stop();
      await web.stop();
      await relay.stop();
    }
  });
}

/**
 * Both register, and are in one room.
 *
 * @param {Person[]} people
 * @returns {Promise<string>} its id
 */
async function meet(people) {
  await Promise.all(people.map((person) => person.launch()));
  for (const person of people) {
    await person.openRegistration();
    await person.register();
  }
  const [one, other] = people;
  await one.rooms.create(ROOM);
  const { server } = await one.session();
  const { json } = await other.ask(
    "POST",
    `/_matrix/client/v3/join/${encodeURIComponent(`#${ROOM.alias}:${server}`)}`,
    {},
  );
  if (!json.room_id) {
    throw new Error(`the join was refused: ${JSON.stringify(json)}`);
  }
  await other.rooms.open(ROOM.name);
  await one.talk.send("hello");
  await other.talk.sees("hello");
  return json.room_id;
}

/**
 * @param {Figures} figures
 * @param {string} room
 * @param {Person} from
 * @param {Person} to
 */
async function measure(figures, room, from, to) {
  const way = `${from.browserName} to ${to.browserName}`;
  const put = (/** @type {string} */ name, /** @type {number[]} */ times) => {
    figures.put(`${way}: ${name}, p50`, quantile(times, 0.5), { ...TIME, aim: 50 });
    figures.put(`${way}: ${name}, p99`, quantile(times, 0.99), TIME);
  };
  const fetched = [];
  for (const i of upTo(SAMPLES)) {
    fetched.push(await fetchToSync(room, from, to, `fetched ${i} by ${from.name}`));
  }
  put("fetch to sync", fetched);
  const typed = [];
  for (const i of upTo(SAMPLES)) {
    typed.push(await from.talk.timed(to, `typed ${i} by ${from.name}`));
  }
  put("Enter to seen", typed);
}

/**
 * @param {string} room
 * @param {Person} from
 * @param {Person} to
 * @param {string} text
 * @returns {Promise<number>} milliseconds, by the clock of the machine
 */
async function fetchToSync(room, from, to, text) {
  const seen = to.page.evaluate(async (wanted) => {
    const headers = { authorization: `Bearer ${localStorage.getItem("mx_access_token")}` };
    const path = "/_matrix/client/r0/sync?timeout=";
    const { next_batch: now } = await (await fetch(`${path}0`, { headers })).json();
    for (let since = now; ;) {
      const response = await fetch(`${path}10000&since=${since}`, { headers });
      const said = await response.text();
      if (said.includes(wanted)) {
        return Date.now();
      }
      since = JSON.parse(said).next_batch;
    }
  }, text);
  seen.catch(() => {}); // it is awaited below, after the send
  await to.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)));
  const began = await from.page.evaluate(
    async ({ place, body }) => {
      const start = Date.now();
      const path = `${encodeURIComponent(place)}/send/m.room.message/${crypto.randomUUID()}`;
      const response = await fetch(`/_matrix/client/r0/rooms/${path}`, {
        method: "PUT",
        headers: { authorization: `Bearer ${localStorage.getItem("mx_access_token")}` },
        body: JSON.stringify({ msgtype: "m.text", body }),
      });
      if (response.status !== 200) {
        throw new Error(`${response.status} ${await response.text()}`);
      }
      return start;
    },
    { place: room, body: text },
  );
  return (await seen) - began;
}
