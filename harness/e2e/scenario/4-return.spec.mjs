/** Step 4: pages are reloaded, a browser is closed and comes back: nobody logs in again, nothing is lost. */
import { expect, FOO, inRoom, test } from "../../fixtures-scenario.mjs";

/** @typedef {import("../../pages/person.mjs").Person} Person */

const AWAY = 20;

/**
 * What the person's own homeserver has of the room, the oldest first.
 *
 * @param {Person} person
 * @param {string} room
 * @param {RegExp} pattern
 */
async function stored(person, room, pattern) {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=100`;
  const { status, json } = await person.ask("GET", path);
  expect(status).toBe(200);
  const bodies = json.chunk.map((/** @type {any} */ event) => event.content?.body ?? "");
  return bodies.reverse().filter((/** @type {string} */ body) => pattern.test(body));
}

test.describe("4 coming back", () => {
  test.beforeAll(async ({ stage }) => {
    await Promise.all([inRoom(stage.first, FOO.name), inRoom(stage.second, FOO.name)]);
  });

  test("both pages reload: logged in, history in place, messages pass", async ({ stage }) => {
    const { first, second } = stage;
    await first.talk.send("before the reload");
    await second.talk.sees("before the reload");
    await Promise.all([first.page.reload(), second.page.reload()]);
    for (const [from, to] of [
      [first, second],
      [second, first],
    ]) {
      await from.rooms.isIn(FOO.name);
      await from.talk.sees("before the reload");
      await from.talk.send(`${from.name} is back`);
      await to.talk.sees(`${from.name} is back`);
    }
  });

  for (const who of /** @type {const} */ (["second", "first"])) {
    test(`the ${who}'s browser is closed, misses ${AWAY} messages, and gets them all`, async ({
      stage,
    }) => {
      const gone = stage[who];
      const other = who === "first" ? stage.second : stage.first;
      const room = stage.notes.get("foo.id");
      const word = `while ${gone.name} was away`;
      const wanted = Array.from({ length: AWAY }, (_, i) => `${i + 1} ${word}`);
      await gone.close();
      for (const text of wanted) {
        await other.talk.send(text);
        await other.talk.sent(text);
      }
      await gone.launch();
      await gone.open(`#/room/${stage.notes.get("foo.alias")}`);
      await gone.rooms.isIn(FOO.name);
      await gone.talk.sees(wanted[AWAY - 1]);
      const ofThese = new RegExp(`^\\d+ ${word}$`);
      await expect
        .poll(async () => {
          const shown = await gone.talk.all(ofThese);
          if (shown.length < AWAY) {
            await gone.talk.scrollUp();
          }
          return shown;
        })
        .toEqual(wanted);
      expect(await stored(gone, room, ofThese)).toEqual(wanted);
      await gone.talk.send(`${gone.name} has read it all`);
      await other.talk.sees(`${gone.name} has read it all`);
    });
  }
});
