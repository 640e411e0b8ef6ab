/**
 * Step 5: the service worker dies, in mid-conversation, in the middle of a request, under a page where
 * nobody is logged in; and a hard reload takes the page from it. Nobody refreshes anything.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, figure, FOO, inRoom, setting, test } from "../../fixtures-scenario.mjs";
import { Person } from "../../pages/person.mjs";
import { firefoxChrome } from "../../worker.mjs";

const LOGGED_OUT_MS = 60_000;
const CUTS_MS = [0, 5, 10, 20, 40];

/** Everything past the cache and past the worker, as Shift and the button do. */
const HARD_RELOAD = `(() => {
  const flags = Ci.nsIWebNavigation.LOAD_FLAGS_BYPASS_CACHE | Ci.nsIWebNavigation.LOAD_FLAGS_BYPASS_PROXY;
  for (const window of Services.wm.getEnumerator("navigator:browser")) {
    for (const tab of window.gBrowser.tabs) {
      tab.linkedBrowser.reloadWithFlags(flags);
    }
  }
})()`;

/** @param {Person} person */
async function hardReload(person) {
  if (person.browserName === "firefox") {
    await firefoxChrome(person.page, HARD_RELOAD);
    return;
  }
  const session = await person.page.context().newCDPSession(person.page);
  await session.send("Page.reload", { ignoreCache: true });
  await session.detach();
}

/** @param {Person} person Leaves a mark that no refresh survives. */
const mark = (person) =>
  person.page.evaluate(() => {
    /** @type {any} */ (window).neuriteMark = true;
  });

/** @param {Person} person */
const isMarked = (person) =>
  person.page.evaluate(() => /** @type {any} */ (window).neuriteMark === true);

test.describe("5 the worker dies", () => {
  test.beforeEach(async ({ stage }) => {
    await Promise.all([inRoom(stage.first, FOO.name), inRoom(stage.second, FOO.name)]);
  });

  for (const who of /** @type {const} */ (["first", "second"])) {
    test(`in mid-conversation in the ${who}'s browser: the next message passes, both ways`, async ({
      stage,
    }) => {
      const person = stage[who];
      const other = who === "first" ? stage.second : stage.first;
      await mark(person);
      const times = [];
      for (let round = 0; round < 3; round++) {
        await person.talk.send(`${person.name} before death ${round}`);
        await other.talk.sees(`${person.name} before death ${round}`);
        await person.killWorker();
        times.push(await person.talk.timed(other, `${person.name} after death ${round}`));
        await person.killWorker();
        await other.talk.send(`to ${person.name} after death ${round}`);
        await person.talk.sees(`to ${person.name} after death ${round}`);
      }
      expect(await isMarked(person), "the page was not refreshed").toBe(true);
      figure(`${person.browserName}: worker killed, from Enter to seen, ms`, times);
    });

    test(`in the middle of a createRoom in the ${who}'s browser: it makes one room`, async ({
      stage,
    }) => {
      const person = stage[who];
      let cut = 0;
      for (const [i, delay] of CUTS_MS.entries()) {
        const name = `Cut ${i} of ${person.name}`;
        const before = (await person.status()).worker;
        const begun = { wanted: name, delay };
        const answered = await person.page.evaluate(async ({ wanted, delay }) => {
          // As the client does: the same id again when no answer came.
          const send = async (/** @type {string} */ id, tries = 8) => {
            // Large enough to be at work on for a while, also where looking takes long.
            const more = Array.from({ length: 200 }, (_, n) => ({
              type: "test.part",
              state_key: String(n),
              content: {},
            }));
            const body = JSON.stringify({ name: wanted, initial_state: more });
            const token = localStorage.getItem("mx_access_token");
            const headers = { authorization: `Bearer ${token}`, "neurite-request-id": id };
            const path = "/_matrix/client/v3/createRoom";
            for (;;) {
              try {
                return (await fetch(path, { method: "POST", body, headers })).status;
              } catch (error) {
                tries -= 1;
                if (tries === 0) {
                  throw error;
                }
              }
            }
          };
          const creating = send(crypto.randomUUID());
          Object.assign(window, { neuriteCreating: creating });
          await new Promise((done) => setTimeout(done, delay));
          return Promise.race([creating, Promise.resolve("none yet")]);
        }, begun);
        await person.killWorker();
        cut += answered === "none yet" ? 1 : 0;
        const status = await person.page.evaluate(
          () => /** @type {any} */ (window).neuriteCreating,
        );
        expect(status).toBe(200);
        expect(before.server_name).toBe((await person.status()).worker.server_name);
        const rooms = await roomsNamed(person, name);
        expect(rooms).toHaveLength(1);
        // The list on the left has room for few.
        await person.ask(
          "POST",
          `/_matrix/client/v3/rooms/${encodeURIComponent(rooms[0])}/leave`,
          {},
        );
      }
      expect(cut, "one of them was cut in two").toBeGreaterThan(0);
    });

    test(`a hard reload in the ${who}'s browser works as well`, async ({ stage }) => {
      const person = stage[who];
      const other = who === "first" ? stage.second : stage.first;
      await mark(person);
      await hardReload(person);
      await expect.poll(() => isMarked(person).catch(() => true)).toBe(false);
      await inRoom(person, FOO.name);
      await person.talk.send(`${person.name} after a hard reload`);
      await other.talk.sees(`${person.name} after a hard reload`);
    });
  }

  test("the homeserver has not vanished from under a page that sits logged out for a minute", async ({
    stage,
    playwright,
  }) => {
    const people = ["chromium", "firefox"].map((name, i) => {
      const type = name === "firefox" ? playwright.firefox : playwright.chromium;
      const profile = join(stage.folder, `${name}-logged-out-${Date.now()}`);
      mkdirSync(profile, { recursive: true });
      return new Person(type, {
        name: i === 0 ? "carol" : "dave",
        displayName: i === 0 ? "Carol" : "Dave",
        profile,
        origin: setting("NEURITE_URL"),
        gate: stage.first.browserName === name ? stage.first.gate : stage.second.gate,
        watch: (context, person) => stage.observer.watch(context, person.browserName),
        // Firefox ends a worker a second after its last event, whatever it is at.
        firefoxUserPrefs: {
          "dom.serviceWorkers.idle_timeout": 1000,
          "dom.serviceWorkers.idle_extended_timeout": 1000,
        },
      });
    });
    await Promise.all(people.map((person) => sitAndRegister(person)));
    await Promise.all(people.map((person) => person.close()));
  });
});

/** @param {Person} person */
async function sitAndRegister(person) {
  await person.launch();
  await person.openRegistration();
  const began = Date.now();
  const first = (await person.status()).worker.generation;
  // Chromium's does not die by itself under a debugger.
  await expect
    .poll(
      async () => {
        if (person.browserName === "chromium") {
          await person.killWorker();
        }
        return Date.now() - began;
      },
      { timeout: LOGGED_OUT_MS + 30_000, intervals: [5000] },
    )
    .toBeGreaterThan(LOGGED_OUT_MS);
  const { generation } = (await person.status()).worker;
  expect(generation, "the worker has died meanwhile").toBeGreaterThan(first);
  await person.register();
  expect((await person.session()).userId).toContain(`@${person.name}:`);
}

/**
 * @param {Person} person
 * @param {string} name
 */
async function roomsNamed(person, name) {
  const { json } = await person.ask("GET", "/_matrix/client/v3/joined_rooms");
  const found = [];
  for (const room of json.joined_rooms) {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state/m.room.name/`;
    const state = await person.ask("GET", path);
    if (state.json?.name === name) {
      found.push(room);
    }
  }
  return found;
}
