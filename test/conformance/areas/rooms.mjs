/** Rooms: made, entered, left, moderated, and found by their aliases. */
import assert from "node:assert/strict";

import { fresh } from "../../client/matrix.mjs";

/** @type {import("../areas.mjs").Case[]} */
export const rooms = [
  {
    name: "rooms are made by each preset and with every option",
    async run({ stage }) {
      const user = await stage.user("maker");
      const guest = await stage.user("guest");
      for (const preset of ["private_chat", "trusted_private_chat", "public_chat"]) {
        await user.room({ preset });
      }
      const roomId = await user.room({
        visibility: "public",
        room_alias_name: fresh("made"),
        name: "Made",
        topic: "with everything",
        invite: [guest.userId],
        room_version: "10",
        creation_content: { "m.federate": false },
        initial_state: [
          { type: "m.room.guest_access", state_key: "", content: { guest_access: "can_join" } },
        ],
        preset: "private_chat",
        is_direct: true,
        power_level_content_override: { users_default: 5 },
      });
      const given = { roomId, eventType: "m.room.power_levels", stateKey: "" };
      assert.equal((await user.ok("getRoomStateWithKey", given)).users_default, 5);
      const { joined_rooms: joined } = await user.ok("getJoinedRooms");
      assert.ok(joined.includes(roomId));
      const wrong = { room_version: "none" };
      await user.fails(400, "M_UNSUPPORTED_ROOM_VERSION", "createRoom", {}, wrong);
      await stage.anyone.fails(401, "M_MISSING_TOKEN", "getJoinedRooms");
    },
  },
  {
    name: "people are invited, come in, go and forget",
    async run({ anyone, stage }) {
      const host = await stage.user("host");
      const friend = await stage.user("friend");
      const roomId = await host.room({ preset: "private_chat" });
      await friend.fails(403, "M_FORBIDDEN", "joinRoomById", { roomId });
      await friend.fails(403, "M_FORBIDDEN", "joinRoom", { roomIdOrAlias: roomId });
      const invitee = { user_id: friend.userId, reason: "please" };
      await friend.fails(403, "M_FORBIDDEN", "inviteUser", { roomId }, { user_id: host.userId });
      await host.ok("inviteUser", { roomId }, invitee);
      assert.equal((await friend.ok("joinRoomById", { roomId })).room_id, roomId);
      await friend.fails(400, "M_UNKNOWN", "forgetRoom", { roomId });
      await friend.ok("leaveRoom", { roomId }, { reason: "enough" });
      await friend.ok("forgetRoom", { roomId });
      await anyone.fails(401, "M_MISSING_TOKEN", "leaveRoom", { roomId });
    },
  },
  {
    name: "a public room is joined by its alias",
    async run({ stage }) {
      const host = await stage.user("host");
      const friend = await stage.user("friend");
      const local = fresh("door");
      const roomId = await host.room({ preset: "public_chat", room_alias_name: local });
      const roomIdOrAlias = `#${local}:${host.serverName}`;
      assert.equal((await friend.ok("joinRoom", { roomIdOrAlias })).room_id, roomId);
    },
  },
  {
    name: "people are kicked, banned and let in again by who has the power",
    async run({ stage }) {
      const host = await stage.user("host");
      const friend = await stage.user("friend");
      const roomId = await host.room();
      await friend.ok("joinRoomById", { roomId });
      const body = { user_id: friend.userId, reason: "noise" };
      for (const id of ["kick", "ban"]) {
        await friend.fails(403, "M_FORBIDDEN", id, { roomId }, { user_id: host.userId });
        await host.ok(id, { roomId }, body);
      }
      await friend.fails(403, "M_FORBIDDEN", "joinRoomById", { roomId });
      const stranger = await stage.user("stranger");
      const absent = { user_id: stranger.userId };
      await host.fails(403, "M_FORBIDDEN", "kick", { roomId }, absent);
      await friend.fails(403, "M_FORBIDDEN", "unban", { roomId }, body);
      await host.ok("unban", { roomId }, body);
      await friend.ok("joinRoomById", { roomId });
    },
  },
  {
    name: "an alias is made, looked up, listed and taken away",
    async run({ anyone, stage }) {
      const host = await stage.user("host");
      const stranger = await stage.user("stranger");
      const roomId = await host.room({ preset: "private_chat" });
      const roomAlias = `#${fresh("name")}:${host.serverName}`;
      await anyone.fails(404, "M_NOT_FOUND", "getRoomIdByAlias", { roomAlias });
      await host.ok("setRoomAlias", { roomAlias }, { room_id: roomId });
      const taken = await host.call("setRoomAlias", { roomAlias }, { room_id: roomId });
      assert.equal(taken.status, 409);
      assert.equal((await anyone.ok("getRoomIdByAlias", { roomAlias })).room_id, roomId);
      assert.deepEqual((await host.ok("getLocalAliases", { roomId })).aliases, [roomAlias]);
      await stranger.fails(403, "M_FORBIDDEN", "getLocalAliases", { roomId });
      await host.ok("deleteRoomAlias", { roomAlias });
      await host.fails(404, "M_NOT_FOUND", "deleteRoomAlias", { roomAlias });
    },
  },
  {
    name: "a room names only aliases that lead to it, and none that are gone",
    async run({ stage }) {
      const host = await stage.user("host");
      const [first, second] = [fresh("first"), fresh("second")].map(
        (local) => `#${local}:${host.serverName}`,
      );
      const roomId = await host.room();
      const given = { roomId, eventType: "m.room.canonical_alias", stateKey: "" };
      const both = { alias: first, alt_aliases: [second] };
      await host.ok("setRoomAlias", { roomAlias: first }, { room_id: roomId });
      await host.fails(400, "M_BAD_ALIAS", "setRoomStateWithKey", given, both);
      const nonsense = { alias: first, alt_aliases: ["nonsense"] };
      await host.fails(400, "M_INVALID_PARAM", "setRoomStateWithKey", given, nonsense);
      await host.ok("setRoomAlias", { roomAlias: second }, { room_id: roomId });
      await host.ok("setRoomStateWithKey", given, both);
      await host.ok("deleteRoomAlias", { roomAlias: first });
      const left = await host.ok("getRoomStateWithKey", given);
      assert.deepEqual(left, { alt_aliases: [second] });
      await host.ok("deleteRoomAlias", { roomAlias: second });
      assert.deepEqual(await host.ok("getRoomStateWithKey", given), { alt_aliases: [] });
    },
  },
  {
    name: "the directory shows the rooms that are published",
    async run({ anyone, stage }) {
      const host = await stage.user("host");
      const word = fresh("listed");
      const roomId = await host.room({ preset: "public_chat", name: word, topic: "shown" });
      await host.ok("setRoomVisibilityOnDirectory", { roomId }, { visibility: "public" });
      const shown = await anyone.ok("getRoomVisibilityOnDirectory", { roomId });
      assert.equal(shown.visibility, "public");
      const nowhere = `!${fresh("none")}:${host.serverName}`;
      const body = { visibility: "public" };
      await anyone.fails(404, "M_NOT_FOUND", "getRoomVisibilityOnDirectory", { roomId: nowhere });
      await host.fails(
        404,
        "M_NOT_FOUND",
        "setRoomVisibilityOnDirectory",
        { roomId: nowhere },
        body,
      );
      const page = await anyone.ok("getPublicRooms", { limit: 1 });
      assert.equal(page.chunk.length, 1);
      const refused = await anyone.server.call("DELETE", "/publicRooms");
      assert.equal(refused.status, 405);
      const search = { filter: { generic_search_term: word }, limit: 10 };
      const found = await host.ok("queryPublicRooms", {}, search);
      assert.deepEqual(
        found.chunk.map((/** @type {any} */ room) => room.room_id),
        [roomId],
      );
      await anyone.fails(401, "M_MISSING_TOKEN", "queryPublicRooms", {}, search);
    },
  },
];
