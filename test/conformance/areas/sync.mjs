/** /sync and its filters, and what a person keeps for themselves. */
import assert from "node:assert/strict";

import { fresh } from "../../client/matrix.mjs";

/** @type {import("../areas.mjs").Case[]} */
export const sync = [
  {
    name: "a sync tells everything, and the next one what is new",
    async run({ anyone, stage }) {
      const user = await stage.user("syncer");
      const friend = await stage.user("friend");
      const roomId = await user.room({ preset: "public_chat", name: "Synced" });
      const invited = await friend.room({ preset: "private_chat", invite: [user.userId] });
      const left = await user.room();
      const first = await user.ok("sync", { timeout: 0 });
      assert.ok(first.rooms.join[roomId].timeline.events.length > 0);
      assert.ok(first.rooms.invite[invited].invite_state.events.length > 0);
      await friend.ok("joinRoomById", { roomId });
      await friend.say(roomId, "hello");
      await friend.ok("setTyping", { roomId }, { typing: true, timeout: 20_000 });
      await user.ok("leaveRoom", { roomId: left });
      const given = { since: first.next_batch, timeout: 0, set_presence: "online" };
      const second = await user.ok("sync", given);
      const { events } = second.rooms.join[roomId].timeline;
      assert.equal(events.at(-1).content.body, "hello");
      assert.ok(second.rooms.leave[left]);
      const all = await user.ok("sync", { since: second.next_batch, full_state: true });
      assert.ok(all.rooms.join[roomId].state.events.length > 0);
      await anyone.fails(401, "M_MISSING_TOKEN", "sync");
      await stage.bearer("wrong").fails(401, "M_UNKNOWN_TOKEN", "sync");
    },
  },
  {
    name: "a filter is kept and obeyed",
    async run({ anyone, stage }) {
      const user = await stage.user("filterer");
      const roomId = await user.room();
      await user.say(roomId, "kept out");
      const body = {
        event_format: "client",
        presence: { types: [] },
        account_data: { types: [] },
        room: {
          timeline: { limit: 1, types: ["m.room.create"] },
          state: { lazy_load_members: true },
          ephemeral: { not_types: ["*"] },
        },
      };
      const { filter_id: filterId } = await user.ok("defineFilter", {}, body);
      assert.deepEqual(await user.ok("getFilter", { filterId }), body);
      const seen = await user.ok("sync", { filter: filterId, timeout: 0 });
      const { events } = seen.rooms.join[roomId].timeline;
      assert.deepEqual(
        events.map((/** @type {any} */ event) => event.type),
        ["m.room.create"],
      );
      const inline = JSON.stringify({ room: { rooms: [] } });
      await user.ok("sync", { filter: inline, timeout: 0 });
      await user.fails(404, "M_NOT_FOUND", "getFilter", { filterId: "987654" });
      await anyone.fails(401, "M_MISSING_TOKEN", "defineFilter", { userId: user.userId }, body);
    },
  },
  {
    name: "account data is kept for its owner alone",
    async run({ stage }) {
      const user = await stage.user("keeper");
      const other = await stage.user("other");
      const { userId } = user;
      const roomId = await user.room();
      const type = "org.example.shelf";
      for (const [get, set, where] of /** @type {const} */ ([
        ["getAccountData", "setAccountData", {}],
        ["getAccountDataPerRoom", "setAccountDataPerRoom", { roomId }],
      ])) {
        const given = { ...where, type };
        await user.fails(404, "M_NOT_FOUND", get, given);
        await user.ok(set, given, { books: 3 });
        assert.deepEqual(await user.ok(get, given), { books: 3 });
        await other.fails(403, "M_FORBIDDEN", get, { ...given, userId });
        await other.fails(403, "M_FORBIDDEN", set, { ...given, userId }, { books: 0 });
      }
      const reserved = { type: "m.fully_read", roomId };
      await user.fails(405, "M_BAD_JSON", "setAccountDataPerRoom", reserved, { event_id: "$x" });
      const seen = await user.ok("sync", { timeout: 0 });
      assert.ok(seen.account_data.events.some((/** @type {any} */ event) => event.type === type));
    },
  },
  {
    name: "who is ignored invites in vain",
    async run({ stage }) {
      const user = await stage.user("peaceful");
      const pest = await stage.user("pest");
      const body = { ignored_users: { [pest.userId]: {} } };
      await user.ok("setAccountData", { type: "m.ignored_user_list" }, body);
      const invited = { preset: "private_chat", invite: [user.userId] };
      await pest.room(invited);
      const friend = await stage.user("friend");
      const roomId = await friend.room(invited);
      const { rooms } = await user.ok("sync", { timeout: 0 });
      assert.deepEqual(Object.keys(rooms.invite), [roomId]);
    },
  },
  {
    name: "rooms are tagged",
    async run({ anyone, stage }) {
      const user = await stage.user("tagger");
      const { userId } = user;
      const roomId = await user.room();
      await user.ok("setRoomTag", { roomId, tag: "m.favourite" }, { order: 0.25 });
      await user.ok("setRoomTag", { roomId, tag: "u.work" });
      await user.ok("deleteRoomTag", { roomId, tag: "u.work" });
      assert.deepEqual(await user.ok("getRoomTags", { roomId }), {
        tags: { "m.favourite": { order: 0.25 } },
      });
      const tag = "u.work";
      await anyone.fails(401, "M_MISSING_TOKEN", "getRoomTags", { roomId, userId });
      await anyone.fails(401, "M_MISSING_TOKEN", "setRoomTag", { roomId, userId, tag });
      await anyone.fails(401, "M_MISSING_TOKEN", "deleteRoomTag", { roomId, userId, tag });
    },
  },
  {
    name: "what is read, typed and present is told to the others",
    async run({ anyone, stage }) {
      const user = await stage.user("present");
      const friend = await stage.user("friend");
      const roomId = await user.room();
      await friend.ok("joinRoomById", { roomId });
      const eventId = await user.say(roomId, "read this");
      const receipt = { roomId, receiptType: "m.read", eventId };
      await friend.ok("postReceipt", receipt);
      await friend.ok("postReceipt", { ...receipt, receiptType: "m.read.private" });
      await friend.ok("postReceipt", receipt, { thread_id: "main" });
      const wrong = { ...receipt, receiptType: "m.nonsense" };
      await friend.fails(400, "M_INVALID_PARAM", "postReceipt", wrong);
      await friend.ok("setReadMarker", { roomId }, { "m.fully_read": eventId, "m.read": eventId });
      await friend.ok("setTyping", { roomId }, { typing: true, timeout: 10_000 });
      await friend.ok("setPresence", {}, { presence: "unavailable", status_msg: "out" });
      const status = await user.ok("getPresence", { userId: friend.userId });
      assert.deepEqual([status.presence, status.status_msg], ["unavailable", "out"]);
      const nobody = `@${fresh("nobody")}:${user.serverName}`;
      const unseen = await user.call("getPresence", { userId: nobody });
      assert.ok([403, 404].includes(unseen.status));
      const { rooms } = await user.ok("sync", { timeout: 0 });
      const types = rooms.join[roomId].ephemeral.events.map((/** @type {any} */ e) => e.type);
      assert.deepEqual(types.sort(), ["m.receipt", "m.typing"]);
      const { userId } = friend;
      await anyone.fails(401, "M_MISSING_TOKEN", "setReadMarker", { roomId });
      await anyone.fails(401, "M_MISSING_TOKEN", "setPresence", { userId });
      await anyone.fails(401, "M_MISSING_TOKEN", "setTyping", { roomId, userId });
    },
  },
  {
    name: "the old streams are read by who may",
    async run({ stage }) {
      const user = await stage.user("stream");
      const passer = await stage.user("passer");
      const room_id = await user.room({
        initial_state: [
          {
            type: "m.room.history_visibility",
            state_key: "",
            content: { history_visibility: "world_readable" },
          },
        ],
      });
      const { end } = await user.ok("getEvents", { timeout: 0 });
      const event_id = await user.say(room_id, "hello");
      await user.ok("getEvents", { from: end, timeout: 0 });
      await user.fails(400, "M_INVALID_PARAM", "getEvents", { from: "no token" });
      await passer.ok("peekEvents", { room_id, from: end, timeout: 0 });
      await passer.fails(400, "M_INVALID_PARAM", "peekEvents", { room_id, from: "no token" });
      await user.ok("initialSync", { limit: 2 });
      await user.ok("getOneEvent", { eventId: event_id });
      await passer.fails(404, "M_NOT_FOUND", "getOneEvent", { eventId: "$none" });
    },
  },
];
