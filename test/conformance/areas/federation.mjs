/** What other servers ask: joins, events, state, queries, keys. */
import assert from "node:assert/strict";

import { fresh, Server } from "../../client/matrix.mjs";
import { scratch, startNeurite } from "../../client/servers.mjs";
import { watched } from "../actor.mjs";

/** @typedef {import("../resident.mjs").Resident} Resident */

/**
 * The message that follows an event in a room.
 * @param {Resident} resident
 * @param {{ roomId: string, sender: string, after: string, depth: number, auth: string[] }} what
 * @param {string} text
 */
export const message = (resident, { roomId, sender, after, depth, auth }, text) =>
  resident.member.seal({
    type: "m.room.message",
    room_id: roomId,
    sender,
    content: { msgtype: "m.text", body: text },
    prev_events: [after],
    auth_events: auth,
    depth,
  });

/**
 * Ids of the state that gives the right to speak.
 * @param {Resident} resident
 * @param {string} roomId
 * @param {string} eventId
 * @param {string} own the sender's membership
 */
export async function authOf(resident, roomId, eventId, own) {
  const { pdus } = await resident.ok("getRoomState", { roomId, event_id: eventId });
  const ids = (await resident.ok("getRoomStateIds", { roomId, event_id: eventId })).pdu_ids;
  const wanted = ["m.room.create", "m.room.power_levels"];
  const at = pdus.flatMap((/** @type {any} */ pdu, /** @type {number} */ i) =>
    wanted.includes(pdu.type) ? [ids[i]] : [],
  );
  return [...at, own];
}

/** Where the server under test says that it is. */
export const DELEGATE = "delegate.example.org";

/**
 * An invite of a user of the server under test, into a room that only the resident server knows.
 *
 * @param {any} resident
 * @param {string} roomId
 * @param {string} guestId
 * @param {string} [version] of the room; in rooms of version 1 and 2 the event id is chosen
 */
export function inviteOf(resident, roomId, guestId, version = "11") {
  const chosen = version === "1" ? { event_id: `$${fresh("invite")}:${resident.name}` } : {};
  return resident.member.seal(
    {
      type: "m.room.member",
      ...chosen,
      room_id: roomId,
      sender: resident.member.userId,
      state_key: guestId,
      content: { membership: "invite" },
      prev_events: [],
      auth_events: [],
      depth: 5,
    },
    version,
  );
}

/** @type {import("../areas.mjs").Case[]} */
export const federation = [
  {
    name: "a server says where its name leads, if it was told",
    async run({ stage, anyone }) {
      const path = "/.well-known/matrix/server";
      assert.equal((await anyone.server.call("GET", path)).body["m.server"], DELEGATE);
      assert.equal((await anyone.server.call("DELETE", path)).status, 405);
      const { "m.homeserver": homeserver } = await anyone.ok("getWellknown");
      assert.equal(homeserver.base_url, `https://${DELEGATE}`);
      const untold = await startNeurite(await scratch());
      const there = new Server(untold.base, watched(stage.ledger));
      const answer = await there.call("GET", "/.well-known/matrix/client");
      assert.equal(`${answer.status} ${answer.body.errcode}`, "404 M_NOT_FOUND");
      await untold.stop();
    },
  },
  {
    name: "a server says which it is, and shows its keys",
    async run({ resident }) {
      assert.equal((await resident.ok("getVersion")).server.name, "Neurite");
      const keys = await resident.ok("getServerKey");
      assert.equal(keys.server_name, resident.server);
      for (const path of ["/_matrix/federation/v1/version", "/_matrix/key/v2/server"]) {
        assert.equal((await resident.request("DELETE", path)).status, 405);
      }
    },
  },
  {
    name: "a user of another server joins, speaks and leaves",
    async run({ stage, resident }) {
      const host = await stage.user("host");
      const roomId = await host.room();
      await host.say(roomId, "before");
      const { userId, id, event, joined } = await resident.join(roomId);
      assert.ok(joined.state.length > 3);
      const auth = await authOf(resident, roomId, id, id);
      const place = { roomId, sender: userId, after: id, depth: event.depth + 1, auth };
      const said = message(resident, place, "hello from afar");
      const transaction = {
        origin: resident.name,
        origin_server_ts: Date.now(),
        pdus: [said.event],
        edus: [
          {
            edu_type: "m.typing",
            content: { room_id: roomId, user_id: userId, typing: true },
          },
        ],
      };
      const taken = await resident.ok("sendTransaction", {}, transaction);
      assert.deepEqual(taken.pdus, { [said.id]: {} });
      const seen = await host.ok("getOneRoomEvent", { roomId, eventId: said.id });
      assert.equal(seen.content.body, "hello from afar");
      await resident.isSigned("sendTransaction", { txnId: "signed" }, transaction);
      const made = await resident.ok("makeLeave", { roomId, userId });
      const leave = resident.member.seal(made.event);
      await resident.ok("sendLeaveV2", { roomId, eventId: leave.id }, leave.event);
      const { joined: now } = await host.ok("getJoinedMembersByRoom", { roomId });
      assert.deepEqual(Object.keys(now), [host.userId]);
    },
  },
  {
    name: "who may not join is told so",
    async run({ stage, resident }) {
      const host = await stage.user("host");
      const roomId = await host.room({ preset: "private_chat" });
      const userId = `@stranger:${resident.name}`;
      const nowhere = `!${fresh("none")}:${resident.server}`;
      await resident.fails(403, "M_FORBIDDEN", "makeJoin", { roomId, userId, ver: ["11"] });
      const unknown = { roomId: nowhere, userId, ver: ["11"] };
      await resident.fails(404, "M_NOT_FOUND", "makeJoin", unknown);
      const open = await host.room();
      const old = { roomId: open, userId, ver: ["1"] };
      await resident.fails(400, "M_INCOMPATIBLE_ROOM_VERSION", "makeJoin", old);
      const made = await resident.ok("makeJoin", { roomId: open, userId, ver: ["11"] });
      const sealed = resident.member.seal({ ...made.event, room_id: roomId });
      const refused = await resident.call(
        "sendJoinV2",
        { roomId, eventId: sealed.id },
        sealed.event,
      );
      assert.ok([400, 403].includes(refused.status), JSON.stringify(refused.body));
      await resident.fails(403, "M_FORBIDDEN", "makeLeave", { roomId, userId });
      const wrong = { roomId: open, eventId: sealed.id };
      const left = await resident.call("sendLeaveV2", wrong, sealed.event);
      assert.equal(left.status, 400, JSON.stringify(left.body));
    },
  },
  {
    name: "history and state are given to a server in the room alone",
    async run({ stage, resident }) {
      const host = await stage.user("host");
      const roomId = await host.room();
      const first = await host.say(roomId, "one");
      await host.say(roomId, "two");
      const { id } = await resident.join(roomId);
      const asked = [
        ["getEvent", { eventId: first }],
        ["getRoomState", { roomId, event_id: id }],
        ["getRoomStateIds", { roomId, event_id: id }],
        ["getEventAuth", { roomId, eventId: first }],
        ["backfillRoom", { roomId, v: [id], limit: 5 }],
      ];
      for (const [name, given] of /** @type {[string, any][]} */ (asked)) {
        await resident.ok(name, given);
        await resident.isSigned(name, given);
      }
      const gap = { earliest_events: [first], latest_events: [id], limit: 10, min_depth: 0 };
      const { events } = await resident.ok("getMissingPreviousEvents", { roomId }, gap);
      assert.equal(events.length, 1);
      await resident.isSigned("getMissingPreviousEvents", { roomId }, gap);
      const closed = await host.room({ preset: "private_chat" });
      const eventId = await host.say(closed, "secret");
      const given = { roomId: closed, event_id: eventId };
      await resident.fails(403, "M_FORBIDDEN", "getRoomStateIds", given);
    },
  },
  {
    name: "a user is invited by another server",
    async run({ stage, resident }) {
      const guest = await stage.user("guest");
      const roomId = `!${fresh("room")}:${resident.name}`;
      const invite = inviteOf(resident, roomId, guest.userId);
      const create = {
        type: "m.room.create",
        state_key: "",
        sender: resident.member.userId,
        content: { room_version: "11" },
      };
      const body = { event: invite.event, invite_room_state: [create], room_version: "11" };
      const { event } = await resident.ok("sendInviteV2", { roomId, eventId: invite.id }, body);
      assert.ok(event.signatures[resident.server]);
      const seen = await guest.ok("sync", { timeout: 0 });
      assert.ok(seen.rooms.invite[roomId]);
      const strange = { ...body, room_version: "unheard of" };
      const given = { roomId, eventId: invite.id };
      await resident.fails(400, "M_INCOMPATIBLE_ROOM_VERSION", "sendInviteV2", given, strange);
    },
  },
  {
    name: "a user of another server knocks where that is allowed",
    async run({ stage, resident }) {
      const host = await stage.user("host");
      const userId = `@${fresh("knocker")}:${resident.name}`;
      const rules = { type: "m.room.join_rules", state_key: "", content: { join_rule: "knock" } };
      const roomId = await host.room({ preset: "private_chat", initial_state: [rules] });
      const made = await resident.ok("makeKnock", { roomId, userId, ver: ["11"] });
      const { event, id } = resident.member.seal(made.event);
      await resident.ok("sendKnock", { roomId, eventId: id }, event);
      const given = { roomId, eventType: "m.room.member", stateKey: userId };
      assert.equal((await host.ok("getRoomStateWithKey", given)).membership, "knock");
      const closed = await host.room({ preset: "private_chat" });
      const there = { roomId: closed, userId, ver: ["11"] };
      await resident.fails(403, "M_FORBIDDEN", "makeKnock", there);
      const stray = resident.member.seal({ ...made.event, room_id: closed });
      const refused = await resident.call(
        "sendKnock",
        { roomId: closed, eventId: stray.id },
        stray.event,
      );
      assert.equal(refused.status, 403, JSON.stringify(refused.body));
    },
  },
  {
    name: "an event is found by its time, and keys are told for others",
    async run({ stage, resident }) {
      const host = await stage.user("host");
      const roomId = await host.room();
      const eventId = await host.say(roomId, "now");
      await resident.join(roomId);
      const seen = await host.ok("getOneRoomEvent", { roomId, eventId });
      const at = { roomId, ts: seen.origin_server_ts, dir: "f" };
      assert.equal(typeof (await resident.ok("getEventByTimestamp", at)).event_id, "string");
      const later = { roomId, ts: seen.origin_server_ts + 86_400_000, dir: "f" };
      await resident.fails(404, "M_NOT_FOUND", "getEventByTimestamp", later);
      const { server: serverName } = resident;
      const { server_keys: keys } = await resident.ok("perspectivesKeyQuery", { serverName });
      assert.equal(keys[0].server_name, serverName);
      const wanted = { server_keys: { [serverName]: {} } };
      assert.equal(
        (await resident.ok("bulkPerspectivesKeyQuery", {}, wanted)).server_keys.length,
        1,
      );
      const refused = await resident.request("DELETE", `/_matrix/key/v2/query/${serverName}`);
      assert.equal(refused.status, 405);
      const bad = await resident.call("bulkPerspectivesKeyQuery", {}, { server_keys: 5 });
      assert.equal(bad.status, 400);
    },
  },
  {
    name: "aliases, profiles and published rooms are told to servers",
    async run({ stage, resident }) {
      const host = await stage.user("host");
      const local = fresh("far");
      const name = fresh("published");
      const roomId = await host.room({
        preset: "public_chat",
        visibility: "public",
        room_alias_name: local,
        name,
      });
      const alias = `#${local}:${resident.server}`;
      const found = await resident.ok("queryRoomDirectory", { room_alias: alias });
      assert.equal(found.room_id, roomId);
      const none = `#${fresh("none")}:${resident.server}`;
      await resident.fails(404, "M_NOT_FOUND", "queryRoomDirectory", { room_alias: none });
      const profile = await resident.ok("queryProfile", { user_id: host.userId });
      assert.equal(typeof profile.displayname, "string");
      const nobody = `@${fresh("nobody")}:${resident.server}`;
      await resident.fails(404, "M_NOT_FOUND", "queryProfile", { user_id: nobody });
      const listed = await resident.ok("getPublicRooms", { limit: 500 });
      assert.ok(listed.chunk.some((/** @type {any} */ room) => room.room_id === roomId));
      const search = { filter: { generic_search_term: name }, limit: 3 };
      const hits = await resident.ok("queryPublicRooms", {}, search);
      assert.equal(hits.chunk.length, 1);
      await resident.isSigned("getPublicRooms");
      await resident.isSigned("queryPublicRooms", {}, search);
    },
  },
  {
    name: "devices and keys are told to servers",
    async run({ stage, resident }) {
      const user = await stage.user("keyed");
      const { userId, deviceId } = user;
      const roomId = await user.room();
      await resident.join(roomId);
      const signatures = { [userId]: { [`ed25519:${deviceId}`]: "dSO80A01XiigH3uBiDVx" } };
      await user.ok(
        "uploadKeys",
        {},
        {
          device_keys: {
            user_id: userId,
            device_id: deviceId,
            algorithms: ["m.olm.v1.curve25519-aes-sha2"],
            keys: { [`ed25519:${deviceId}`]: "lEuiRJBit0IG6nUf5pUzWTUEsRVVe/HJkoKuEww9ULI" },
            signatures,
          },
          one_time_keys: {
            "signed_curve25519:AAAAAQ": {
              key: "zKbLg+NrIjpnagy+pIY6uPL4ZwEG2v+8F9lmgsnlZzs",
              signatures,
            },
          },
        },
      );
      const list = await resident.ok("getUserDevices", { userId });
      assert.equal(list.devices[0].device_id, deviceId);
      const query = { device_keys: { [userId]: [] } };
      const known = await resident.ok("queryUserEncryptionKeys", {}, query);
      assert.ok(known.device_keys[userId][deviceId]);
      const wanted = { one_time_keys: { [userId]: { [deviceId]: "signed_curve25519" } } };
      const claimed = await resident.ok("claimUserEncryptionKeys", {}, wanted);
      assert.ok(claimed.one_time_keys[userId][deviceId]["signed_curve25519:AAAAAQ"]);
      await resident.isSigned("getUserDevices", { userId });
      await resident.isSigned("queryUserEncryptionKeys", {}, query);
      await resident.isSigned("claimUserEncryptionKeys", {}, wanted);
    },
  },
];
