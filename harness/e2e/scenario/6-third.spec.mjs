/**
 * Step 6: a native homeserver at the same relay is the third in the room, driven by plain requests. Its
 * wire to the relay is listened to, and once spoilt. Then a fourth, which shares no code with the three,
 * joins by the server-server API alone and asks each of them what the room is.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, figure, FOO, inRoom, setting, test } from "../../fixtures-scenario.mjs";
import { Member } from "../../services/member.mjs";
import { Native } from "../../services/native.mjs";
import { Recorder, Tap } from "../../services/tap.mjs";

const ROUNDS = 4;

/** @typedef {import("../../../test/client/matrix.mjs").User} User */

/** @type {Tap} */
let tap;
/** @type {Native} */
let native;
/** @type {User} */
let carol;
/** @type {Member | undefined} */
let member;

test.describe("6 a third homeserver", () => {
  test.beforeAll(async ({ stage }) => {
    await Promise.all([inRoom(stage.first, FOO.name), inRoom(stage.second, FOO.name)]);
    tap = new Tap(setting("RELAY_URL"));
    const data = join(stage.folder, `native-${Date.now()}`);
    mkdirSync(data);
    native = await Native.start(setting("NEURITE"), data, await tap.start());
  });

  test.afterAll(async () => {
    member?.close();
    await native?.stop();
    await tap?.stop();
  });

  test("the native one joins by alias, and all three talk", async ({ stage }) => {
    const { first, second, notes } = stage;
    carol = await native.register("carol");
    const room = await carol.join(notes.get("foo.alias"), { withinMs: 60_000 });
    expect(room).toBe(notes.get("foo.id"));
    for (let round = 0; round < ROUNDS; round++) {
      await carol.say(room, `native ${round}`);
      await Promise.all([first.talk.sees(`native ${round}`), second.talk.sees(`native ${round}`)]);
      for (const person of [first, second]) {
        const text = `${person.name} to the native one ${round}`;
        await person.talk.send(text);
        await carol.until(
          () => carol.texts(room, notes.get(`${who(stage, person)}.userId`)).includes(text),
          `the native one sees "${text}"`,
        );
      }
    }
  });

  test("the relay's wire does not carry the text, and the recorder would have found it", async ({
    stage,
  }) => {
    const { first, second, notes } = stage;
    // Firefox does not show bodies of requests over WebDriver BiDi.
    const person = first.browserName === "chromium" ? first : second;
    const secret = `between-us-${Date.now()}`;
    const own = new Recorder();
    person.page.on("request", (request) => own.hear(request.postDataBuffer() ?? Buffer.alloc(0)));
    const before = tap.recorder.size;
    await person.talk.send(secret);
    await carol.until(
      () =>
        carol
          .texts(notes.get("foo.id"), notes.get(`${who(stage, person)}.userId`))
          .includes(secret),
      "the native one sees it",
    );
    expect(own.has(secret), "in the page's own requests").toBe(true);
    expect(tap.recorder.size, "bytes passed the relay").toBeGreaterThan(before + 200);
    expect(tap.recorder.has(secret), "in the relay's bytes").toBe(false);
    expect(tap.recorder.has("ss-join"), "the recorder hears the relay").toBe(true);
  });

  test("a bit changed on the way ends that connection, and nothing is lost", async ({ stage }) => {
    const { second, notes } = stage;
    const room = notes.get("foo.id");
    const sender = notes.get("second.userId");
    const dials = tap.dials;
    tap.spoilNext();
    await second.talk.send("through a bad wire");
    await carol.until(
      () => carol.texts(room, sender).includes("through a bad wire"),
      "it came",
      90_000,
    );
    await carol.until(() => tap.spoilt === 1, "a message was spoilt");
    await second.talk.send("and after it");
    await carol.until(() => carol.texts(room, sender).includes("and after it"), "so did the next");
    expect(tap.dials, "they had to dial again").toBeGreaterThan(dials);
    const texts = carol.texts(room, sender).filter((text) => /bad wire|and after/.test(text));
    expect(texts).toEqual(["through a bad wire", "and after it"]);
  });

  test("all three agree on ids, bytes and state, asked over the federation API of each", async ({
    stage,
  }) => {
    const { notes } = stage;
    const room = notes.get("foo.id");
    const servers = [notes.get("first.server"), notes.get("second.server"), native.name];
    const observer = new Member(setting("RELAY_URL"));
    member = observer;
    await observer.peer.join();
    await expect.poll(() => servers.filter((name) => observer.knows(name))).toEqual(servers);
    const join = await observer.join(native.name, room);
    // Each has it once the transaction that tells of it has come.
    for (const server of servers) {
      await expect
        .poll(() => observer.event(server, join).catch((error) => String(error)))
        .toContain(observer.userId);
    }
    await carol.see(room, join);
    const ids = carol.events(room).map((event) => event.event_id);
    const state = await observer.stateIds(servers[0], room, join);
    expect(ids.length).toBeGreaterThan(3 * ROUNDS);
    expect(state.length).toBeGreaterThan(8);
    for (const server of servers) {
      expect(await observer.stateIds(server, room, join)).toEqual(state);
    }
    for (const id of new Set([...ids, ...state])) {
      const bytes = await Promise.all(servers.map((server) => observer.event(server, id)));
      expect(new Set(bytes).size, `canonical bytes of ${id}`).toBe(1);
    }
    figure("events and state events that three homeservers agree on", [ids.length, state.length]);
  });
});

/** @param {import("../../fixtures-scenario.mjs").Stage} stage @param {unknown} person */
const who = (stage, person) => (person === stage.first ? "first" : "second");
