/** Rooms: making, finding, joining, leaving, their state and history. */
import { equal, ok, refused } from "../check.mjs";
import { enc, fresh } from "../matrix.mjs";

/**
 * @param {import("../matrix.mjs").User} user
 * @param {string} room
 * @param {string} type
 * @param {string} [key]
 */
function stateOf(user, room, type, key = "") {
  return user.must("GET", `/rooms/${enc(room)}/state/${enc(type)}/${enc(key)}`);
}

/** @type {import("./index.mjs").Conversation[]} */
export const rooms = [
  {
    name: "a public room has the alias, name and topic it was made with",
    async run({ server }) {
      const alice = await server.register(fresh("maker"));
      const local = fresh("foo");
      const alias = `#${local}:${alice.serverName}`;
      const body = {
        preset: "public_chat",
        room_alias_name: local,
        name: "Foo – ü",
        topic: "All about foo",
        visibility: "public",
      };
      const room = await alice.createRoom(body);
      equal((await stateOf(alice, room, "m.room.name")).name, "Foo – ü", "name");
      equal((await stateOf(alice, room, "m.room.topic")).topic, "All about foo", "topic");
      equal((await stateOf(alice, room, "m.room.join_rules")).join_rule, "public", "join rule");
      equal((await stateOf(alice, room, "m.room.create")).room_version, "11", "version");
      equal((await stateOf(alice, room, "m.room.canonical_alias")).alias, alias, "alias");
      const found = await alice.must("GET", `/directory/room/${enc(alias)}`);
      equal(found.room_id, room, "the directory knows it");
      equal(found.servers, [alice.serverName], "and who has it");
      const again = await alice.call("POST", "/createRoom", { body });
      refused(again, 400, "M_ROOM_IN_USE", "an alias is given once");
      const listed = await alice.must("GET", "/publicRooms");
      const row = listed.chunk.find((/** @type {any} */ r) => r.room_id === room);
      equal(
        [row?.name, row?.topic, row?.canonical_alias, row?.num_joined_members],
        ["Foo – ü", "All about foo", alias, 1],
        "it is listed",
      );
    },
  },
  {
    name: "pages of the directory neither repeat nor leave out a room that grows meanwhile",
    async run({ server }) {
      const alice = await server.register(fresh("lister"));
      const bob = await server.register(fresh("grower"));
      const topic = fresh("paged");
      /** @type {string[]} */
      const made = [];
      for (let i = 0; i < 5; i++) {
        const preset = "public_chat";
        const creation_content = i === 4 ? { type: "m.space" } : {};
        const asked = { preset, topic, visibility: "public", creation_content };
        made.push(await alice.createRoom(asked));
      }
      const filter = { generic_search_term: topic };
      /** @param {any} body */
      const page = (body) => alice.must("POST", "/publicRooms", { body: { filter, ...body } });
      /** @param {any} answer @returns {string[]} */
      const ids = (answer) => answer.chunk.map((/** @type {any} */ c) => c.room_id);
      const first = await page({ limit: 2 });
      equal(ids(first).length, 2, "two of five");
      ok(first.prev_batch === undefined, "nothing is before the first page");
      await bob.join(ids(first)[1]); /* it moves to the front, and nothing else moves */
      const second = await page({ limit: 2, since: first.next_batch });
      const third = await page({ limit: 2, since: second.next_batch });
      const seen = [...ids(first), ...ids(second), ...ids(third)];
      equal([...seen].sort(), [...made].sort(), "each once");
      ok(third.next_batch === undefined, "nothing is after the last page");
      const back = await page({ limit: 2, since: third.prev_batch });
      equal(ids(back), ids(second), "and back");
      const grown = await page({ limit: 1 });
      equal(grown.chunk[0].num_joined_members, 2, "most members first");
      await bob.must("POST", `/rooms/${enc(ids(first)[1])}/leave`, { body: {} });
      equal((await page({ limit: 1 })).chunk[0].num_joined_members, 1, "who left is not counted");
      const spaces = await page({ filter: { ...filter, room_types: ["m.space"] } });
      equal(ids(spaces), [made[4]], "spaces alone");
      const plain = await page({ filter: { ...filter, room_types: [null] } });
      equal(ids(plain).length, 4, "all others");
      const body = { since: "o2" };
      refused(await alice.call("POST", "/publicRooms", { body }), 400, "M_INVALID_PARAM", "token");
    },
  },
  {
    name: "a second user joins by alias and both see it",
    async run({ server }) {
      const alice = await server.register(fresh("host"));
      const bob = await server.register(fresh("guest"));
      const local = fresh("bar");
      const room = await alice.createRoom({ preset: "public_chat", room_alias_name: local });
      await alice.sync();
      await bob.sync();
      equal(await bob.join(`#${local}:${alice.serverName}`), room, "the alias is the room");
      const joined = (/** @type {any} */ e) =>
        e.type === "m.room.member" && e.state_key === bob.userId && e.content.membership === "join";
      await alice.until(() => alice.events(room).some(joined), "the host sees the guest come");
      await bob.until(() => bob.rooms.get(room) === "join", "the guest's sync has the room");
      const members = (await bob.must("GET", `/rooms/${enc(room)}/joined_members`)).joined;
      equal(Object.keys(members).sort(), [alice.userId, bob.userId].sort(), "both are members");
      equal((await bob.must("GET", "/joined_rooms")).joined_rooms, [room], "joined rooms");
    },
  },
  {
    name: "a name that was redacted is not among the members",
    async run({ server }) {
      const alice = await server.register(fresh("host"));
      const bob = await server.register(fresh("rude"));
      const room = await alice.createRoom({ preset: "public_chat" });
      await bob.join(room);
      const member = `/rooms/${enc(room)}/state/m.room.member/${enc(bob.userId)}`;
      const event = await alice.must("GET", member, { query: { format: "event" } });
      ok(event.content.displayname, "he has a name");
      const redact = `/rooms/${enc(room)}/redact/${enc(event.event_id)}/${fresh("txn")}`;
      await alice.must("PUT", redact, { body: {} });
      const { joined } = await alice.must("GET", `/rooms/${enc(room)}/joined_members`);
      equal(joined[bob.userId], {}, "he is there without it");
      equal(await alice.must("GET", member), { membership: "join" }, "nor in the state");
    },
  },
  {
    name: "state that was redacted is not told, and can be said again",
    async run({ server }) {
      const alice = await server.register(fresh("loose"));
      const room = await alice.createRoom({ preset: "public_chat" });
      const topic = `/rooms/${enc(room)}/state/m.room.topic`;
      const body = { topic: "a secret" };
      const { event_id: first } = await alice.must("PUT", topic, { body });
      const redact = (/** @type {string} */ id) => `/rooms/${enc(room)}/redact/${enc(id)}/${id}`;
      const reason = "the secret again";
      const { event_id: by } = await alice.must("PUT", redact(first), { body: { reason } });
      equal(await alice.must("GET", topic), {}, "its content is empty");
      await alice.must("PUT", redact(by), { body: {} });
      const shown = await alice.must("GET", `/rooms/${enc(room)}/event/${enc(first)}`);
      const because = shown.unsigned.redacted_because;
      equal([because.event_id, because.content.reason], [by, undefined], "nor why, in the end");
      await alice.must("PUT", topic, { body });
      equal(await alice.must("GET", topic), body, "who says it again is heard");
    },
  },
  {
    name: "a room that is not there cannot be joined",
    async run({ server }) {
      const user = await server.register(fresh("lost"));
      const here = user.serverName;
      const alias = await user.call("POST", `/join/${enc(`#${fresh("no")}:${here}`)}`, {
        body: {},
      });
      refused(alias, 404, "M_NOT_FOUND", "an unknown alias");
      const id = await user.call("POST", `/join/${enc(`!${fresh("no")}:${here}`)}`, { body: {} });
      ok(id.status === 404 || id.status === 403, `an unknown room id: ${id.status}`);
      const bad = await user.call("POST", `/join/${enc("no-sigil")}`, { body: {} });
      refused(bad, 400, "M_INVALID_PARAM", "neither alias nor room id");
    },
  },
  {
    name: "state is changed by those who may",
    async run({ server }) {
      const alice = await server.register(fresh("admin"));
      const bob = await server.register(fresh("plain"));
      const room = await alice.createRoom();
      await bob.join(room);
      const path = `/rooms/${enc(room)}/state/m.room.topic`;
      const { event_id: id } = await alice.must("PUT", `${path}/`, { body: { topic: "new" } });
      equal(await bob.must("GET", path), { topic: "new" }, "the other reads it");
      const event = await bob.must("GET", `/rooms/${enc(room)}/event/${enc(id)}`);
      equal(
        [event.type, event.state_key, event.sender],
        ["m.room.topic", "", alice.userId],
        "event",
      );
      const denied = await bob.call("PUT", path, { body: { topic: "mine" } });
      refused(denied, 403, "M_FORBIDDEN", "not everybody may");
      const missing = await bob.call("GET", `/rooms/${enc(room)}/state/org.example.none`);
      refused(missing, 404, "M_NOT_FOUND", "no such state");
      const all = await bob.must("GET", `/rooms/${enc(room)}/state`);
      const types = all.map((/** @type {any} */ e) => e.type);
      ok(types.includes("m.room.create") && types.includes("m.room.power_levels"), "all of it");
    },
  },
  {
    name: "history is read backwards in pages, each event once",
    async run({ server }) {
      const alice = await server.register(fresh("hist"));
      const room = await alice.createRoom();
      /** @type {string[]} */
      const sent = [];
      for (let i = 0; i < 25; i += 1) {
        sent.push(await alice.say(room, `message ${i}`));
      }
      /** @type {string[]} */
      const seen = [];
      /** @type {Record<string, string | number>} */
      let query = { dir: "b", limit: 10 };
      for (let page = 0; page < 20; page += 1) {
        const body = await alice.must("GET", `/rooms/${enc(room)}/messages`, { query });
        ok(body.chunk.length <= 10, "a page is no longer than asked for");
        for (const event of body.chunk) {
          seen.push(event.event_id);
        }
        if (body.end === undefined) {
          break;
        }
        query = { dir: "b", limit: 10, from: body.end };
      }
      equal(new Set(seen).size, seen.length, "nothing comes twice");
      equal(
        seen.filter((id) => sent.includes(id)),
        sent.toReversed(),
        "all, newest first",
      );
      const create = (
        await alice.must("GET", `/rooms/${enc(room)}/event/${enc(seen.at(-1) ?? "")}`)
      ).type;
      equal(create, "m.room.create", "down to the first event");
    },
  },
  {
    name: "an invited user sees the invite, joins, leaves, and reads nothing later",
    async run({ server }) {
      const alice = await server.register(fresh("inviter"));
      const bob = await server.register(fresh("invitee"));
      const room = await alice.createRoom({ preset: "private_chat", name: "Closed" });
      const early = await bob.call("POST", `/join/${enc(room)}`, { body: {} });
      refused(early, 403, "M_FORBIDDEN", "not without an invite");
      await bob.sync();
      await alice.must("POST", `/rooms/${enc(room)}/invite`, { body: { user_id: bob.userId } });
      await bob.until(() => bob.rooms.get(room) === "invite", "the invite is seen");
      const stripped = bob.invites.get(room).events;
      ok(
        stripped.some((/** @type {any} */ e) => e.type === "m.room.name"),
        "the invite names the room",
      );
      await bob.join(room);
      const hello = await alice.say(room, "hello");
      await bob.see(room, hello);
      await bob.must("POST", `/rooms/${enc(room)}/leave`, { body: {} });
      await bob.until(() => bob.rooms.get(room) === "leave", "the leaving is seen");
      const later = await alice.say(room, "he is gone");
      const event = await bob.call("GET", `/rooms/${enc(room)}/event/${enc(later)}`);
      ok(event.status === 403 || event.status === 404, "what came later is not theirs");
      const send = await bob.call("PUT", `/rooms/${enc(room)}/send/m.room.message/x`, {
        body: { msgtype: "m.text", body: "me?" },
      });
      refused(send, 403, "M_FORBIDDEN", "nor may they speak");
      await bob.sync();
      ok(!bob.events(room).some((e) => e.event_id === later), "nor does a sync tell");
    },
  },
  {
    name: "who is kicked may come back, who is banned may not",
    async run({ server }) {
      const alice = await server.register(fresh("mod"));
      const bob = await server.register(fresh("loud"));
      const room = await alice.createRoom();
      const path = `/rooms/${enc(room)}`;
      await bob.join(room);
      await alice.must("POST", `${path}/kick`, { body: { user_id: bob.userId, reason: "hm" } });
      await bob.join(room);
      await alice.must("POST", `${path}/ban`, { body: { user_id: bob.userId } });
      const back = await bob.call("POST", `/join/${enc(room)}`, { body: {} });
      refused(back, 403, "M_FORBIDDEN", "banned");
      await alice.must("POST", `${path}/unban`, { body: { user_id: bob.userId } });
      await bob.join(room);
    },
  },
  {
    name: "two people can talk in a direct room",
    async run({ server }) {
      const alice = await server.register(fresh("dm"));
      const bob = await server.register(fresh("dm"));
      await bob.sync();
      const room = await alice.createRoom({
        preset: "trusted_private_chat",
        invite: [bob.userId],
        is_direct: true,
      });
      await bob.until(() => bob.rooms.get(room) === "invite", "the invite is seen");
      const member = bob.invites
        .get(room)
        .events.find((/** @type {any} */ e) => e.state_key === bob.userId);
      equal(member.content.is_direct, true, "marked as direct");
      await bob.join(room);
      await alice.see(room, await bob.say(room, "here I am"));
    },
  },
];
