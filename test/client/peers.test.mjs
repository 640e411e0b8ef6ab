/** Two native homeservers that know nothing but a relay. */
import assert from "node:assert/strict";
import path from "node:path";
import { describe, test } from "node:test";

import { refused } from "./check.mjs";
import { bytesOf } from "./conversations/media.mjs";
import { enc, fresh } from "./matrix.mjs";
import { relays, scratch, startNeurite, startRelay } from "./servers.mjs";

/**
 * A relay, two homeservers, a user on each; all is ended afterwards.
 * @param {string} kind of relay
 * @param {(given: { alice: import("./matrix.mjs").User, bob: import("./matrix.mjs").User,
 *   restart: { alice: () => Promise<void>, bob: () => Promise<void> },
 *   stop: { alice: () => Promise<unknown>, bob: () => Promise<unknown> },
 *   relay: { stop: () => Promise<unknown>, start: () => Promise<void> } }) => Promise<void>} run
 */
async function withPeers(kind, run) {
  const dir = await scratch();
  let relay = await startRelay(kind);
  const start = (/** @type {string} */ who) =>
    startNeurite(path.join(dir, who), ["--relay", relay.url]);
  const servers = { alice: await start("alice"), bob: await start("bob") };
  const alice = await servers.alice.register(fresh("alice"));
  const bob = await servers.bob.register(fresh("bob"));
  const users = { alice, bob };
  const restart = async (/** @type {"alice" | "bob"} */ who) => {
    servers[who] = await start(who);
    users[who].server = servers[who];
  };
  try {
    await run({
      alice,
      bob,
      restart: { alice: () => restart("alice"), bob: () => restart("bob") },
      stop: { alice: () => servers.alice.stop(), bob: () => servers.bob.stop() },
      relay: {
        stop: () => relay.stop(),
        start: async () => {
          relay = await startRelay(kind, relay.port);
        },
      },
    });
  } finally {
    await Promise.all([servers.alice.stop(), servers.bob.stop(), relay.stop()]);
  }
}

/**
 * A public room of alice's that bob has joined by its alias.
 * @param {import("./matrix.mjs").User} alice
 * @param {import("./matrix.mjs").User} bob
 */
async function sharedRoom(alice, bob) {
  const local = fresh("foo");
  const room = await alice.createRoom({
    preset: "public_chat",
    room_alias_name: local,
    name: "Foo",
    topic: "t",
  });
  assert.equal(await bob.join(`#${local}:${alice.serverName}`), room);
  return room;
}

for (const kind of relays) {
  describe(`over the relay "${kind}"`, { timeout: 180_000 }, () => {
    test("a file of one is seen at the other, also when the first is gone", () =>
      withPeers(kind, async ({ alice, bob, stop }) => {
        await sharedRoom(alice, bob);
        const body = new Uint8Array(200_000).map((_, i) => (i * 7) % 256);
        const put = await bytesOf(alice, "POST", "/media/v3/upload", { body, type: "image/png" });
        const at = put.body.content_uri.slice("mxc://".length);
        const path = `/client/v1/media/download/${at}`;
        const first = await bytesOf(bob, "GET", path);
        assert.equal(first.status, 200);
        assert.deepEqual(first.content, body);
        assert.equal(first.headers.get("content-type"), "image/png");
        const none = await bytesOf(bob, "GET", `${path}nothing`);
        assert.deepEqual([none.status, none.body.errcode], [404, "M_NOT_FOUND"]);
        await stop.alice();
        assert.deepEqual((await bytesOf(bob, "GET", path)).content, body);
      }));

    test("a room is joined by alias and messages pass both ways", () =>
      withPeers(kind, async ({ alice, bob }) => {
        const room = await sharedRoom(alice, bob);
        const first = await alice.say(room, "hello over there 👋");
        assert.equal((await bob.see(room, first)).content.body, "hello over there 👋");
        const second = await bob.say(room, "hello\nback");
        assert.equal((await alice.see(room, second)).content.body, "hello\nback");
        const state = await bob.must("GET", `/rooms/${enc(room)}/state`);
        const mine = await alice.must("GET", `/rooms/${enc(room)}/state`);
        const ids = (/** @type {any[]} */ list) => list.map((e) => e.event_id).sort();
        assert.deepEqual(ids(state), ids(mine), "both hold the same state");
        const old = await bob.must("GET", `/rooms/${enc(room)}/messages`, {
          query: { dir: "b", limit: 100 },
        });
        assert.ok(
          old.chunk.some((/** @type {any} */ e) => e.type === "m.room.create"),
          "the joiner reads back to the beginning",
        );
      }));

    test("typing, receipts, edits, reactions and redactions pass", () =>
      withPeers(kind, async ({ alice, bob }) => {
        const room = await sharedRoom(alice, bob);
        const id = await alice.say(room, "one");
        await bob.see(room, id);
        await bob.must("POST", `/rooms/${enc(room)}/receipt/m.read/${enc(id)}`, { body: {} });
        await alice.until(
          () =>
            alice
              .whispers(room)
              .some((e) => e.type === "m.receipt" && e.content[id]?.["m.read"]?.[bob.userId]),
          "the receipt",
        );
        const typing = `/rooms/${enc(room)}/typing/${enc(bob.userId)}`;
        await bob.must("PUT", typing, { body: { typing: true, timeout: 20_000 } });
        await alice.until(
          () =>
            alice
              .whispers(room)
              .some((e) => e.type === "m.typing" && e.content.user_ids.includes(bob.userId)),
          "typing",
        );
        const relation = { rel_type: "m.annotation", event_id: id, key: "👍" };
        const reaction = await bob.send(room, "m.reaction", { "m.relates_to": relation });
        await alice.see(room, reaction);
        const redact = `/rooms/${enc(room)}/redact/${enc(id)}/${fresh("t")}`;
        const { event_id: redaction } = await alice.must("PUT", redact, { body: {} });
        await bob.see(room, redaction);
        const event = await bob.must("GET", `/rooms/${enc(room)}/event/${enc(id)}`);
        assert.deepEqual(event.content, {});
      }));

    test("a profile, an alias and the directory are read from the other peer", () =>
      withPeers(kind, async ({ alice, bob }) => {
        const name = { displayname: "Alice" };
        await alice.must("PUT", `/profile/${enc(alice.userId)}/displayname`, { body: name });
        assert.equal((await bob.must("GET", `/profile/${enc(alice.userId)}`)).displayname, "Alice");
        const local = fresh("pub");
        const body = { preset: "public_chat", visibility: "public", room_alias_name: local };
        const room = await alice.createRoom({ ...body, name: "Everybody" });
        const alias = enc(`#${local}:${alice.serverName}`);
        assert.equal((await bob.must("GET", `/directory/room/${alias}`)).room_id, room);
        const listed = await bob.must("GET", "/publicRooms", {
          query: { server: alice.serverName },
        });
        assert.ok(listed.chunk.some((/** @type {any} */ r) => r.room_id === room));
        const none = await bob.call("POST", `/join/${enc(`#${fresh("no")}:${alice.serverName}`)}`, {
          body: {},
        });
        refused(none, 404, "M_NOT_FOUND", "an alias that is not there");
      }));

    test("an invite reaches the other peer, is accepted, and left", () =>
      withPeers(kind, async ({ alice, bob }) => {
        await bob.sync();
        const room = await alice.createRoom({ preset: "private_chat", name: "Closed" });
        await alice.must("POST", `/rooms/${enc(room)}/invite`, { body: { user_id: bob.userId } });
        await bob.until(() => bob.rooms.get(room) === "invite", "the invite");
        assert.equal(await bob.join(room), room);
        await alice.see(room, await bob.say(room, "thanks"));
        await bob.must("POST", `/rooms/${enc(room)}/leave`, { body: {} });
        await alice.until(
          () =>
            alice
              .events(room)
              .some((e) => e.state_key === bob.userId && e.content.membership === "leave"),
          "the leaving",
        );
        const later = await alice.say(room, "alone again");
        await bob.sync();
        assert.ok(!bob.events(room).some((e) => e.event_id === later));
      }));

    test("an invite can be declined", () =>
      withPeers(kind, async ({ alice, bob }) => {
        await bob.sync();
        const room = await alice.createRoom({ preset: "private_chat" });
        await alice.must("POST", `/rooms/${enc(room)}/invite`, { body: { user_id: bob.userId } });
        await bob.until(() => bob.rooms.get(room) === "invite", "the invite");
        await bob.must("POST", `/rooms/${enc(room)}/leave`, { body: {} });
        await alice.until(
          () =>
            alice
              .events(room)
              .some((e) => e.state_key === bob.userId && e.content.membership === "leave"),
          "the refusal",
        );
      }));

    test("a peer that was away gets all twenty messages, once each, in order", () =>
      withPeers(kind, async ({ alice, bob, restart, stop }) => {
        const room = await sharedRoom(alice, bob);
        await bob.see(room, await alice.say(room, "before"));
        await stop.bob();
        const texts = Array.from({ length: 20 }, (_, i) => `while you were away ${i}`);
        for (const text of texts) {
          await alice.say(room, text);
        }
        await restart.bob();
        await bob.until(
          () => bob.texts(room, alice.userId).includes(texts[19]),
          "the last one is there",
        );
        assert.deepEqual(bob.texts(room, alice.userId), ["before", ...texts]);
        await alice.see(room, await bob.say(room, "I am back"));
      }));

    test("the sender may be restarted before the other comes back", () =>
      withPeers(kind, async ({ alice, bob, restart, stop }) => {
        const room = await sharedRoom(alice, bob);
        await bob.see(room, await alice.say(room, "before"));
        await stop.bob();
        const id = await alice.say(room, "kept");
        await stop.alice();
        await restart.bob();
        await restart.alice();
        await bob.see(room, id);
        assert.deepEqual(bob.texts(room, alice.userId), ["before", "kept"]);
      }));

    test("what was sent without a relay arrives when it is back", () =>
      withPeers(kind, async ({ alice, bob, relay }) => {
        const room = await sharedRoom(alice, bob);
        await bob.see(room, await alice.say(room, "with"));
        await relay.stop();
        const id = await alice.say(room, "without");
        await relay.start();
        await bob.see(room, id);
        assert.deepEqual(bob.texts(room, alice.userId), ["with", "without"]);
      }));
  });
}
