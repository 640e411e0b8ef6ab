/** Rooms from outside: spaces, summaries, upgrades, reports, rooms that two users share. */
import { equal, ok, refused } from "../check.mjs";
import { enc, fresh } from "../matrix.mjs";

/**
 * @param {import("../matrix.mjs").User} user
 * @param {string} room
 * @param {string} type
 * @param {unknown} content
 * @param {string} [key]
 */
function putState(user, room, type, content, key = "") {
  const path = `/rooms/${enc(room)}/state/${enc(type)}/${enc(key)}`;
  return user.must("PUT", path, { body: content });
}

/**
 * @param {import("../matrix.mjs").User} user
 * @param {string} room
 * @param {string} type
 */
function stateOf(user, room, type) {
  return user.must("GET", `/rooms/${enc(room)}/state/${enc(type)}/`);
}

/** @type {import("./index.mjs").Conversation[]} */
export const spaces = [
  {
    name: "a space shows its rooms in their order, page by page",
    async run({ server }) {
      const alice = await server.register(fresh("space"));
      const bob = await server.register(fresh("space"));
      const via = [alice.serverName];
      const type = { creation_content: { type: "m.space" } };
      const space = await alice.createRoom({ preset: "public_chat", name: "Top", ...type });
      const inner = await alice.createRoom({ preset: "public_chat", name: "Inner", ...type });
      const one = await alice.createRoom({ preset: "public_chat", name: "One" });
      const two = await alice.createRoom({ preset: "public_chat", name: "Two" });
      const closed = await alice.createRoom({ preset: "private_chat", name: "Closed" });
      await putState(alice, space, "m.space.child", { via, order: "b" }, one);
      await putState(alice, space, "m.space.child", { via, order: "a", suggested: true }, inner);
      await putState(alice, space, "m.space.child", { via }, closed);
      await putState(alice, space, "m.space.child", {}, "!removed:example.org");
      await putState(alice, inner, "m.space.child", { via }, two);
      const path = `/_matrix/client/v1/rooms/${enc(space)}/hierarchy`;
      const list = async (
        /** @type {import("../matrix.mjs").User} */ user,
        /** @type {Record<string, string | number>} */ query = {},
      ) => user.must("GET", path, { query });
      const names = (/** @type {any} */ body) => body.rooms.map((/** @type {any} */ r) => r.name);
      const all = await list(alice);
      equal(names(all), ["Top", "Inner", "Two", "One", "Closed"], "depth first, in order");
      const [top] = all.rooms;
      equal(
        top.children_state.map((/** @type {any} */ e) => e.state_key),
        [inner, one, closed],
        "its children",
      );
      equal(
        [top.room_type, top.join_rule, top.num_joined_members, top.room_version],
        ["m.space", "public", 1, "11"],
        "what it is",
      );
      equal(names(await list(bob)), ["Top", "Inner", "Two", "One"], "not what is closed to others");
      equal(names(await list(bob, { max_depth: 1 })), ["Top", "Inner", "One"], "not too deep");
      const hinted = await list(bob, { suggested_only: "true" });
      equal(names(hinted), ["Top", "Inner"], "suggested ones");
      const page = await list(bob, { limit: 2 });
      equal(names(page), ["Top", "Inner"], "a page");
      const next = await list(bob, { limit: 2, from: page.next_batch });
      equal(names(next), ["Two", "One"], "the next");
      equal(next.next_batch, undefined, "is the last");
      const changed = await bob.call("GET", path, {
        query: { from: page.next_batch, max_depth: 1 },
      });
      refused(changed, 400, "M_INVALID_PARAM", "settings stay the same");
      const inside = await bob.call("GET", `/_matrix/client/v1/rooms/${enc(closed)}/hierarchy`);
      refused(inside, 403, "M_FORBIDDEN", "a closed room");
    },
  },
  {
    name: "a room that can be joined is summed up for anybody",
    async run({ server }) {
      const alice = await server.register(fresh("sum"));
      const bob = await server.register(fresh("sum"));
      const local = fresh("sum");
      const room = await alice.createRoom({
        preset: "public_chat",
        name: "Cheese",
        room_alias_name: local,
      });
      const alias = `#${local}:${alice.serverName}`;
      const summary = await bob.must("GET", `/_matrix/client/v1/room_summary/${enc(alias)}`);
      equal(
        [summary.room_id, summary.name, summary.membership, summary.join_rule],
        [room, "Cheese", "leave", "public"],
        "by its alias",
      );
      const own = await alice.must("GET", `/_matrix/client/v1/room_summary/${enc(room)}`);
      equal(own.membership, "join", "one's own membership");
      const nobody = await server.must("GET", `/_matrix/client/v1/room_summary/${enc(room)}`);
      equal(nobody.membership, undefined, "nobody in particular");
      const closed = await alice.createRoom({ preset: "private_chat" });
      const hidden = await bob.call("GET", `/_matrix/client/v1/room_summary/${enc(closed)}`);
      refused(hidden, 404, "M_NOT_FOUND", "not what is closed");
    },
  },
  {
    name: "an upgraded room has what the old one had, and the old one says where it went",
    async run({ server }) {
      const alice = await server.register(fresh("up"));
      const bob = await server.register(fresh("up"));
      const eve = await server.register(fresh("up"));
      const local = fresh("up");
      const old = await alice.createRoom({
        preset: "public_chat",
        room_version: "9",
        name: "Old and new",
        topic: "moving",
        room_alias_name: local,
        visibility: "public",
      });
      await bob.join(old);
      const tag = `/user/${enc(bob.userId)}/rooms/${enc(old)}/tags/u.work`;
      await bob.must("PUT", tag, { body: { order: 0.5 } });
      await bob.must("PUT", `/user/${enc(bob.userId)}/account_data/m.direct`, {
        body: { [alice.userId]: [old] },
      });
      await alice.must("POST", `/rooms/${enc(old)}/ban`, { body: { user_id: eve.userId } });
      const path = `/rooms/${enc(old)}/upgrade`;
      const denied = await bob.call("POST", path, { body: { new_version: "11" } });
      refused(denied, 403, "M_FORBIDDEN", "not by everybody");
      const unknown = await alice.call("POST", path, { body: { new_version: "lucky" } });
      refused(unknown, 400, "M_UNSUPPORTED_ROOM_VERSION", "not to any version");
      const answer = await alice.must("POST", path, { body: { new_version: "11" } });
      const room = answer.replacement_room;
      const create = await stateOf(alice, room, "m.room.create");
      equal([create.room_version, create.predecessor.room_id], ["11", old], "it names the old");
      const tombstone = await stateOf(bob, old, "m.room.tombstone");
      equal(tombstone.replacement_room, room, "and the old one names it");
      const stone = await alice.must(
        "GET",
        `/rooms/${enc(old)}/event/${enc(create.predecessor.event_id)}`,
      );
      equal(stone.type, "m.room.tombstone", "by its last event");
      equal((await stateOf(alice, room, "m.room.name")).name, "Old and new", "name");
      equal((await stateOf(alice, room, "m.room.topic")).topic, "moving", "topic");
      const alias = `#${local}:${alice.serverName}`;
      equal((await alice.must("GET", `/directory/room/${enc(alias)}`)).room_id, room, "alias");
      equal((await stateOf(alice, room, "m.room.canonical_alias")).alias, alias, "said there");
      equal(await stateOf(alice, old, "m.room.canonical_alias"), {}, "and no more here");
      const listed = await alice.must("GET", `/directory/list/room/${enc(room)}`);
      equal(listed.visibility, "public", "listed");
      const banned = await eve.call("POST", `/join/${enc(room)}`, { body: {} });
      refused(banned, 403, "M_FORBIDDEN", "who was banned stays so");
      const silent = await bob.call("PUT", `/rooms/${enc(old)}/send/m.room.message/x`, {
        body: { msgtype: "m.text", body: "anybody?" },
      });
      refused(silent, 403, "M_FORBIDDEN", "the old room is closed");
      await bob.join(room);
      const tags = await bob.must("GET", `/user/${enc(bob.userId)}/rooms/${enc(room)}/tags`);
      ok("u.work" in tags.tags, "tags are carried over");
      const direct = await bob.must("GET", `/user/${enc(bob.userId)}/account_data/m.direct`);
      equal(direct[alice.userId], [old, room], "and that it is direct");
    },
  },
  {
    name: "a room can be upgraded to version 12 by a moderator with power enough",
    async run({ server }) {
      const alice = await server.register(fresh("twelve"));
      const bob = await server.register(fresh("twelve"));
      const old = await alice.createRoom({
        preset: "public_chat",
        power_level_content_override: { users: { [alice.userId]: 100, [bob.userId]: 100 } },
      });
      await bob.join(old);
      const answer = await bob.must("POST", `/rooms/${enc(old)}/upgrade`, {
        body: { new_version: "12" },
      });
      const room = answer.replacement_room;
      ok(!room.includes(":"), "its id has no server");
      const create = await stateOf(bob, room, "m.room.create");
      equal(create.predecessor.room_id, old, "it names the old");
      const levels = await stateOf(bob, room, "m.room.power_levels");
      equal(levels.users, { [alice.userId]: 100 }, "creators are not among the users");
      const back = await bob.must("POST", `/rooms/${enc(room)}/upgrade`, {
        body: { new_version: "11" },
      });
      const again = await stateOf(bob, back.replacement_room, "m.room.power_levels");
      equal(again.users, { [alice.userId]: 100, [bob.userId]: 100 }, "but are again before it");
    },
  },
  {
    name: "rooms, events and users are reported",
    async run({ server }) {
      const alice = await server.register(fresh("report"));
      const bob = await server.register(fresh("report"));
      const room = await alice.createRoom();
      const id = await alice.say(room, "spam");
      const path = `/rooms/${enc(room)}/report`;
      const body = { reason: "this makes me sad" };
      await bob.must("POST", path, { body });
      const outside = await bob.call("POST", `${path}/${enc(id)}`, { body });
      ok(outside.status === 200 || outside.status === 404, `from outside: ${outside.status}`);
      await bob.join(room);
      await bob.must("POST", `${path}/${enc(id)}`, { body: { score: -100, ...body } });
      await bob.must("POST", `/users/${enc(alice.userId)}/report`, { body });
      const wrong = await bob.call("POST", `${path}/${enc(id)}`, { body: { score: "bad" } });
      refused(wrong, 400, "M_BAD_JSON", "a score is a number");
      const noEvent = await bob.call("POST", `${path}/${enc("$nothing")}`, { body });
      refused(noEvent, 404, "M_NOT_FOUND", "no such event");
      const noRoom = await bob.call("POST", `/rooms/${enc("!no:where")}/report`, { body });
      refused(noRoom, 404, "M_NOT_FOUND", "no such room");
      const nobody = `@${fresh("nobody")}:${alice.serverName}`;
      const noUser = await bob.call("POST", `/users/${enc(nobody)}/report`, { body });
      refused(noUser, 404, "M_NOT_FOUND", "no such user");
    },
  },
  {
    name: "the rooms that two users share are listed",
    async run({ server }) {
      const alice = await server.register(fresh("mutual"));
      const bob = await server.register(fresh("mutual"));
      const shared = await alice.createRoom();
      await alice.createRoom();
      await bob.join(shared);
      const path = "/_matrix/client/v1/mutual_rooms";
      const list = await alice.must("GET", path, { query: { user_id: bob.userId } });
      equal(list, { joined: [shared], count: 1 }, "one");
      const self = await alice.call("GET", path, { query: { user_id: alice.userId } });
      refused(self, 400, "M_INVALID_PARAM", "not with oneself");
      const none = await alice.must("GET", path, { query: { user_id: "@who:example.org" } });
      equal(none, { joined: [], count: 0 }, "none with a stranger");
    },
  },
  {
    name: "a walk goes on only where one can have stopped",
    async run({ server }) {
      const alice = await server.register(fresh("walk"));
      const room = await alice.createRoom();
      const path = `/_matrix/client/v1/rooms/${enc(room)}/hierarchy`;
      const from = "h9223372036854775807.16.0";
      const answer = await alice.call("GET", path, { query: { from } });
      refused(answer, 400, "M_INVALID_PARAM", "no page ends there");
    },
  },
];
