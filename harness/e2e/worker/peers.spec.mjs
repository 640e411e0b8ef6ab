/**
 * Homeservers that know nothing of each other but a relay: one in this browser, one in the other one,
 * and a native one. The roles of the browsers swap between the two projects.
 */
import { burst } from "../../../test/client/burst.mjs";
import { Server, User, enc, fresh } from "../../../test/client/matrix.mjs";
import { launchOptions } from "../../browsers.mjs";
import { expect, test as base } from "../../fixtures.mjs";
import { startNeurite, startRelay } from "../../services/programs.mjs";
import { install, killWorkers, serverOf, workerFacts } from "../../worker.mjs";

/** @typedef {import("@playwright/test").Page} Page */

const RELAY_PORT = Number(process.env.RELAY_PORT ?? 18595);
/** Messages in a burst; a night has time for 10,000. */
const BURST = Number(process.env.BURST ?? 300);

/**
 * Keeps the worker running, as the client does: one request open all the time.
 *
 * @param {Page} page
 */
const keepAlive = (page) =>
  page.evaluate(() => {
    /** @type {() => Promise<unknown>} */
    const again = () =>
      fetch("/_neurite/alive?relay=up").then(again, () =>
        new Promise((resolve) => setTimeout(resolve, 1000)).then(again),
      );
    void again();
  });

/**
 * @typedef {object} Peers
 * @property {Page} here
 * @property {Page} there in the other browser
 * @property {User} alice here
 * @property {User} bob there
 * @property {User} carol on a native homeserver
 * @property {{ stop: () => Promise<unknown>, start: () => Promise<void> }} relay
 */

/** @type {import("@playwright/test").Fixtures<any, any, any, any>} */
const fixtures = {
  module: "dendrite.wasm",

  peers: async (
    /** @type {any} */ { page: here, playwright, browserName, site, profile },
    /** @type {(peers: Peers) => Promise<void>} */ use,
  ) => {
    let relay = await startRelay(RELAY_PORT);
    site.relayPort = relay.port;
    const other = browserName === "firefox" ? "chromium" : "firefox";
    const browser = await playwright[other].launch(launchOptions[other]);
    const there = await browser.newPage();
    const native = await startNeurite(profile, relay.url);
    for (const page of [here, there]) {
      await install(page, site.origin);
      await keepAlive(page);
    }
    await use({
      here,
      there,
      alice: await serverOf(here).register(fresh("alice")),
      bob: await serverOf(there).register(fresh("bob")),
      carol: await new Server(native.base).register(fresh("carol")),
      relay: {
        stop: () => relay.stop(),
        start: async () => {
          relay = await startRelay(RELAY_PORT);
        },
      },
    });
    await browser.close();
    await native.stop();
    await relay.stop();
  },
};

/** @typedef {import("@playwright/test").PlaywrightWorkerOptions} WorkerOptions */
/** @typedef {import("@playwright/test").TestType<{ peers: Peers }, WorkerOptions>} PeersTest */

const test = /** @type {PeersTest} */ (/** @type {unknown} */ (base.extend(fixtures)));

/**
 * A public room of alice's that bob and carol have joined by its alias.
 *
 * @param {Peers} peers
 */
async function sharedRoom({ alice, bob, carol }) {
  const local = fresh("foo");
  const room = await alice.createRoom({
    preset: "public_chat",
    room_alias_name: local,
    name: "Foo",
  });
  expect(await bob.join(`#${local}:${alice.serverName}`)).toBe(room);
  expect(await carol.join(`#${local}:${alice.serverName}`)).toBe(room);
  return room;
}

/**
 * @param {User} speaker
 * @param {User[]} listeners
 * @param {string} room
 * @param {string} text
 */
async function heard(speaker, listeners, room, text) {
  const id = await speaker.say(room, text);
  for (const listener of listeners) {
    expect((await listener.see(room, id)).content.body).toBe(text);
  }
}

test.setTimeout(180_000);

test("three homeservers share a room, through deaths of workers and of the relay", async ({
  peers,
  browserName,
}) => {
  const { here, there, alice, bob, carol, relay } = peers;
  const room = await sharedRoom(peers);
  await heard(alice, [bob, carol], room, "hello 👋");
  await heard(bob, [alice, carol], room, "from the other browser");
  await heard(carol, [alice, bob], room, "from a native one");

  await killWorkers(here, browserName);
  await heard(bob, [alice, carol], room, "alice's worker died");
  await heard(alice, [bob, carol], room, "and came back");
  await killWorkers(there, browserName === "firefox" ? "chromium" : "firefox");
  await heard(alice, [bob, carol], room, "bob's worker died");

  await relay.stop();
  const offline = await alice.say(room, "said while the relay was away");
  await relay.start();
  for (const listener of [bob, carol]) {
    expect((await listener.see(room, offline)).content.body).toBe("said while the relay was away");
  }

  const state = async (/** @type {User} */ user) => {
    const events = await user.must("GET", `/rooms/${enc(room)}/state`);
    return events.map((/** @type {any} */ event) => event.event_id).sort();
  };
  expect(await state(bob)).toEqual(await state(alice));
  expect(await state(carol)).toEqual(await state(alice));
  for (const page of [here, there]) {
    const { deaths } = await workerFacts(page);
    expect(deaths).toEqual([]);
  }
});

test(`no message of ${BURST} is lost under traffic, with a relay restarted in the middle`, async ({
  peers,
}) => {
  test.setTimeout(180_000 + 400 * BURST);
  const { here, there, alice, bob, carol, relay } = peers;
  const room = await sharedRoom(peers);
  await burst([alice, bob, carol], room, BURST, async () => {
    await relay.stop();
    await relay.start();
  });
  for (const page of [here, there]) {
    expect((await workerFacts(page)).deaths).toEqual([]);
  }
});
