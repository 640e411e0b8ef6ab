/**
 * A worker ends in the middle of something: its browser stops it, or another build takes its place. The
 * page repeats what it was not answered, as the client does, and everything is done, and done once.
 */
import { readFile, writeFile } from "node:fs/promises";
import { Server, enc, fresh } from "../../../test/client/matrix.mjs";
import { endPrograms } from "../../../test/client/program.mjs";
import { built, expect, startSite, test } from "../../fixtures.mjs";
import { startNeurite, startRelay } from "../../services/programs.mjs";
import {
  answersOf,
  begin,
  buildOf,
  check,
  holdCommits,
  install,
  killWorkers,
  letCommit,
  serverOf,
  wait,
  workerFacts,
} from "../../worker.mjs";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {import("../../../test/client/matrix.mjs").User} User */
/** @typedef {Awaited<ReturnType<typeof startSite>>} Served */
/** @typedef {import("../../worker.mjs").Wanted} Wanted */

const RELAY_PORT = Number(process.env.RELAY_PORT ?? 18595);
const WRITERS = 6;
const UPLOAD = 700_000;
/** How long a commit is kept waiting before the end, in reads of the database. */
const SOME_READS = 50;
/** Bytes of a join's answers from one cut to the next. */
const JOIN_STEP = Number(process.env.JOIN_STEP ?? 1000);

const DAY_MS = 86_400_000;
/** Put before the worker's script: its wall clock, which a page may set. Each new worker's is right. */
const CLOCK = `{
  const now = Date.now.bind(Date);
  let wrong = 0;
  Date.now = () => now() + wrong;
  self.addEventListener("message", ({ data, source }) => {
    if (data.type === "clock") {
      wrong = data.ms;
      source.postMessage("set");
    }
  });
}
`;

/** @type {Page} */
let page;
/** @type {Served} */
let served;
/** @type {Server} natively, at the same relay */
let native;
/** @type {User} in the browser */
let alice;
/** @type {User} beside her */
let bob;
/** @type {User} on the native homeserver */
let carol;

test.beforeAll(async ({ browser, browserName }, info) => {
  served = await startSite("dendrite.wasm");
  const { worker } = served.site;
  await writeFile(worker, CLOCK + (await readFile(worker, "utf8")));
  const relay = await startRelay(RELAY_PORT);
  served.site.relayPort = relay.port;
  native = new Server(
    (await startNeurite(info.outputPath(`native-${browserName}`), relay.url)).base,
  );
  page = await browser.newPage();
  await install(page, served.site.origin);
  alice = await serverOf(page).register(fresh("alice"));
  bob = await serverOf(page).register(fresh("bob"));
  carol = await native.register(fresh("carol"));
});

test.afterEach(() => served.site.flow());

test.afterAll(async () => {
  await page.close();
  await served.end();
  await endPrograms();
});

/**
 * @param {User} user
 * @param {string} method
 * @param {string} path below /_matrix/client/v3, unless it is of the media
 * @param {string} [body]
 * @returns {Wanted}
 */
const wantedOf = (user, method, path, body) => ({
  method,
  path: `${path.startsWith("/_") ? "" : "/_matrix/client/v3"}${path}`,
  ...(body === undefined ? {} : { body }),
  headers: {
    authorization: `Bearer ${user.token}`,
    ...(body === undefined ? {} : { "neurite-request-id": fresh(method) }),
  },
});

/** @param {number} n requests that the worker has and has not answered */
const hasOpen = (n) =>
  expect.poll(async () => (await workerFacts(page)).requests_open).toBeGreaterThanOrEqual(n);

/** @returns {Promise<any[]>} the bodies of the answers, all of them 200 */
async function answers() {
  const all = await answersOf(page);
  all.forEach(({ status, text }) => expect(status, text).toBe(200));
  return all.map(({ text }) => JSON.parse(text));
}

/** @param {() => Promise<unknown>} ending */
async function longPoll(ending) {
  const room = await alice.createRoom();
  await bob.join(room);
  await alice.sync();
  const query = `since=${enc(alice.since ?? "")}&timeout=25000`;
  await begin(page, [wantedOf(alice, "GET", `/sync?${query}`)]);
  await hasOpen(1);
  await ending();
  const said = await bob.say(room, "after the end");
  const [sync] = await answers();
  const { events } = sync.rooms.join[room].timeline;
  expect(events.map((/** @type {any} */ event) => event.event_id)).toEqual([said]);
}

/** @param {() => Promise<unknown>} ending */
async function upload(ending) {
  const body = "0123456789".repeat(UPLOAD / 10);
  await holdCommits(page);
  await begin(page, [wantedOf(alice, "POST", "/_matrix/media/v3/upload", body)]);
  await wait(page, SOME_READS);
  await ending();
  const [{ content_uri: uri }] = await answers();
  const path = `/_matrix/client/v1/media/download/${uri.slice("mxc://".length)}`;
  const file = await alice.call("GET", path);
  expect(file.status).toBe(200);
  expect(String(file.body)).toBe(body);
}

/**
 * @param {() => Promise<unknown>} ending
 * @param {number} [heard] so many bytes of what the other homeserver answers
 * @returns {Promise<boolean>} false: the join was done before
 */
async function join(ending, heard = 0) {
  const room = await carol.createRoom({ preset: "public_chat" });
  served.site.holdAfter(heard);
  const via = `/join/${enc(room)}?server_name=${enc(carol.serverName)}`;
  await begin(page, [wantedOf(alice, "POST", via, "{}")]);
  const joining = answers();
  let isDone = false;
  void joining.then(() => (isDone = true));
  await expect.poll(() => isDone || served.site.isHolding).toBe(true);
  const isCut = !isDone;
  await ending();
  served.site.flow();
  expect((await joining)[0].room_id).toBe(room);
  await carol.see(room, await alice.say(room, "I am in"));
  await alice.see(room, await carol.say(room, "so I see"));
  // A join that was accepted and not heard of is sent again, and changes nothing then.
  const comesIn = (/** @type {any} */ { state_key: who, unsigned }) =>
    who === alice.userId && unsigned?.prev_content?.membership !== "join";
  expect(carol.events(room).filter(comesIn), `cut after ${heard}`).toHaveLength(1);
  return isCut;
}

/** @param {() => Promise<unknown>} ending */
async function flush(ending) {
  const room = await alice.createRoom();
  const send = (/** @type {number} */ n) => {
    const content = JSON.stringify({ msgtype: "m.text", body: `text ${n}` });
    const path = `/rooms/${enc(room)}/send/m.room.message/${fresh("t")}`;
    return wantedOf(alice, "PUT", path, content);
  };
  await holdCommits(page);
  await begin(
    page,
    Array.from({ length: WRITERS }, (_, n) => send(n)),
  );
  await ending();
  const sent = (await answers()).map(({ event_id: id }) => id);
  const { chunk } = await alice.must("GET", `/rooms/${enc(room)}/messages`, {
    query: { dir: "b", limit: 50 },
  });
  const found = chunk.filter((/** @type {any} */ event) => event.type === "m.room.message");
  const ids = found.map((/** @type {any} */ event) => event.event_id);
  expect(ids.toSorted()).toEqual(sent.toSorted());
}

const deeds = { "a long poll": longPoll, "an upload": upload, "a join": join, "a flush": flush };

for (const [name, deed] of Object.entries(deeds)) {
  test(`the worker is stopped in the middle of ${name}`, async ({ browserName }) => {
    const { generation } = await workerFacts(page);
    await deed(async () => {
      await killWorkers(page, browserName);
      await letCommit(page);
    });
    expect((await workerFacts(page)).generation).toBe(generation + 1);
  });

  test(`another build comes in the middle of ${name}`, async () => {
    const old = await buildOf(page);
    served.site.wasm = built(old?.endsWith("-next") ? "dendrite.wasm" : "next/dendrite.wasm");
    await deed(async () => {
      await check(page);
      await letCommit(page);
      await expect.poll(() => buildOf(page)).not.toBe(old);
    });
    const { deaths } = await workerFacts(page);
    expect(deaths.map((/** @type {any} */ death) => death.reason)).toEqual(
      Array(deaths.length).fill("swap"),
    );
  });
}

test("the worker is stopped at every point of a join, until there is none left", async ({
  browserName,
}) => {
  const stop = () => killWorkers(page, browserName);
  let cuts = 0;
  while (await join(stop, (cuts + 1) * JOIN_STEP)) {
    cuts += 1;
  }
  expect(cuts).toBeGreaterThan(0);
});

/** @param {number} ms how far off the worker's clock is from now on */
const setClock = (ms) =>
  page.evaluate(
    (wrong) =>
      new Promise((resolve) => {
        navigator.serviceWorker.addEventListener("message", resolve, { once: true });
        navigator.serviceWorker.controller?.postMessage({ type: "clock", ms: wrong });
        navigator.serviceWorker.startMessages();
      }),
    ms,
  );

for (const [what, ms] of Object.entries({
  "set back by a day": -DAY_MS,
  "set forward by a year": 365 * DAY_MS,
})) {
  test(`the clock is ${what} and right again: nothing is lost, and no token goes back`, async ({
    browserName,
  }) => {
    const room = await carol.createRoom();
    await alice.join(room, { query: { server_name: carol.serverName } });
    /** @type {number[]} */
    const tokens = [];
    /** @type {string[]} */
    const said = [];
    const speak = async (/** @type {string} */ when) => {
      for (const [from, to] of [
        [alice, carol],
        [carol, alice],
      ]) {
        said.push(await from.say(room, `${when}, ${from.userId}`));
        await to.see(room, said[said.length - 1]);
        await from.see(room, said[said.length - 1]);
        tokens.push(Number(/^s(\d+)_/.exec(alice.since ?? "")?.[1]));
      }
    };
    await speak("before");
    const query = `since=${enc(alice.since ?? "")}&timeout=25000`;
    await begin(page, [wantedOf(alice, "GET", `/sync?${query}`)]);
    await hasOpen(1);
    await setClock(ms);
    const poll = answers();
    await speak("meanwhile");
    expect(JSON.stringify(await poll)).toContain(said[2]);
    const { origin_server_ts: at } = await carol.see(room, said[2]);
    expect(Math.abs(at - Date.now() - ms), "the clock was wrong").toBeLessThan(DAY_MS / 2);
    await killWorkers(page, browserName);
    await speak("after");
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
    for (const user of [alice, carol]) {
      const messages = user.events(room).filter(({ type }) => type === "m.room.message");
      expect(messages.map(({ event_id: id }) => id)).toEqual(said);
    }
    expect((await alice.call("GET", "/account/whoami")).status).toBe(200);
    expect((await workerFacts(page)).log.join("\n")).not.toContain("ended (");
  });
}
