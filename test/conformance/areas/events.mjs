/** What is said in a room, its state, and how both are read. */
import assert from "node:assert/strict";

const MESSAGE = "m.room.message";

/** @type {import("../areas.mjs").Case[]} */
export const events = [
  {
    name: "a message is sent once for each transaction id, and an empty body is refused",
    async run({ stage }) {
      const user = await stage.user("sayer");
      const roomId = await user.room();
      const given = { roomId, eventType: MESSAGE, txnId: "one" };
      const body = { msgtype: "m.text", body: "hello" };
      const first = await user.ok("sendMessage", given, body);
      assert.deepEqual(await user.ok("sendMessage", given, body), first);
      const large = { msgtype: "m.text", body: "x".repeat(70_000) };
      await user.fails(413, "M_TOO_LARGE", "sendMessage", { roomId, eventType: MESSAGE }, large);
      const { path } = user.place("sendMessage", { roomId, eventType: MESSAGE });
      const broken = await user.server.call("PUT", path, { token: user.token, raw: '{"a":' });
      assert.equal(broken.body.errcode, "M_NOT_JSON");
    },
  },
  {
    name: "a message is redacted",
    async run({ anyone, stage }) {
      const user = await stage.user("redactor");
      const roomId = await user.room();
      const eventId = await user.say(roomId, "never mind");
      await user.ok("redactEvent", { roomId, eventId }, { reason: "typo" });
      const seen = await user.ok("getOneRoomEvent", { roomId, eventId });
      assert.deepEqual(seen.content, {});
      await anyone.fails(401, "M_MISSING_TOKEN", "redactEvent", { roomId, eventId });
    },
  },
  {
    name: "state is set and read, by key and whole, by members only",
    async run({ stage }) {
      const user = await stage.user("stately");
      const stranger = await stage.user("stranger");
      const roomId = await user.room({ preset: "private_chat" });
      const topic = { roomId, eventType: "m.room.topic", stateKey: "" };
      await user.ok("setRoomStateWithKey", topic, { topic: "weather" });
      assert.equal((await user.ok("getRoomStateWithKey", topic)).topic, "weather");
      const whole = await user.ok("getRoomStateWithKey", { ...topic, format: "event" });
      assert.equal(whole.content.topic, "weather");
      const state = await user.ok("getRoomState", { roomId });
      assert.ok(state.some((/** @type {any} */ event) => event.type === "m.room.create"));
      const absent = { roomId, eventType: "m.room.avatar", stateKey: "" };
      await user.fails(404, "M_NOT_FOUND", "getRoomStateWithKey", absent);
      await stranger.fails(403, "M_FORBIDDEN", "getRoomStateWithKey", topic);
      await stranger.fails(403, "M_FORBIDDEN", "getRoomState", { roomId });
      await stranger.fails(403, "M_FORBIDDEN", "setRoomStateWithKey", topic, { topic: "mine" });
    },
  },
  {
    name: "history is paged both ways, by members only",
    async run({ stage }) {
      const user = await stage.user("reader");
      const stranger = await stage.user("stranger");
      const roomId = await user.room({ preset: "private_chat" });
      for (const text of ["one", "two", "three"]) {
        await user.say(roomId, text);
      }
      const back = await user.ok("getRoomEvents", { roomId, dir: "b", limit: 2 });
      assert.deepEqual(
        back.chunk.map((/** @type {any} */ event) => event.content.body),
        ["three", "two"],
      );
      const older = await user.ok("getRoomEvents", { roomId, dir: "b", from: back.end, limit: 1 });
      assert.equal(older.chunk[0].content.body, "one");
      const on = await user.ok("getRoomEvents", { roomId, dir: "f", from: older.end, limit: 2 });
      assert.deepEqual(
        on.chunk.map((/** @type {any} */ event) => event.content.body),
        ["one", "two"],
      );
      const filter = JSON.stringify({ types: ["m.room.create"], lazy_load_members: true });
      const first = await user.ok("getRoomEvents", { roomId, dir: "f", filter });
      assert.equal(first.chunk[0].type, "m.room.create");
      await stranger.fails(403, "M_FORBIDDEN", "getRoomEvents", { roomId, dir: "b" });
    },
  },
  {
    name: "an event is read alone and among its neighbours",
    async run({ anyone, stage }) {
      const user = await stage.user("reader");
      const roomId = await user.room();
      await user.say(roomId, "before");
      const eventId = await user.say(roomId, "here");
      await user.say(roomId, "behind");
      assert.equal((await user.ok("getOneRoomEvent", { roomId, eventId })).content.body, "here");
      const around = await user.ok("getEventContext", { roomId, eventId, limit: 2 });
      assert.equal(around.event.event_id, eventId);
      assert.equal(around.events_before[0].content.body, "before");
      assert.equal(around.events_after[0].content.body, "behind");
      const none = { roomId, eventId: "$none" };
      await user.fails(404, "M_NOT_FOUND", "getOneRoomEvent", none);
      await user.fails(404, "M_NOT_FOUND", "getEventContext", none);
      await anyone.fails(401, "M_MISSING_TOKEN", "getEventContext", { roomId, eventId });
    },
  },
  {
    name: "members are listed, by members only",
    async run({ stage }) {
      const user = await stage.user("host");
      const friend = await stage.user("friend");
      const stranger = await stage.user("stranger");
      const roomId = await user.room();
      await friend.ok("joinRoomById", { roomId });
      await friend.ok("leaveRoom", { roomId });
      const all = await user.ok("getMembersByRoom", { roomId });
      assert.equal(all.chunk.length, 2);
      const left = await user.ok("getMembersByRoom", { roomId, membership: "leave" });
      assert.equal(left.chunk[0].state_key, friend.userId);
      const others = await user.ok("getMembersByRoom", { roomId, not_membership: "leave" });
      assert.equal(others.chunk[0].state_key, user.userId);
      const { joined } = await user.ok("getJoinedMembersByRoom", { roomId });
      assert.deepEqual(Object.keys(joined), [user.userId]);
      await stranger.fails(403, "M_FORBIDDEN", "getMembersByRoom", { roomId });
      await stranger.fails(403, "M_FORBIDDEN", "getJoinedMembersByRoom", { roomId });
    },
  },
  {
    name: "a room is read at once in the old manner",
    async run({ stage }) {
      const user = await stage.user("old");
      const stranger = await stage.user("stranger");
      const roomId = await user.room({ preset: "private_chat" });
      const first = await user.ok("roomInitialSync", { roomId });
      assert.equal(first.room_id, roomId);
      await stranger.fails(403, "M_FORBIDDEN", "roomInitialSync", { roomId });
    },
  },
];
