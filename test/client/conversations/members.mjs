/** Coming in and being put out: knocks, restricted rooms, bans, what is forgotten. */
import { equal, ok, refused } from "../check.mjs";
import { enc, fresh } from "../matrix.mjs";

/**
 * @param {string} rule
 * @param {string[]} [rooms]
 */
function joinRule(rule, rooms) {
  const allow = rooms?.map((room) => ({ type: "m.room_membership", room_id: room }));
  return {
    type: "m.room.join_rules",
    state_key: "",
    content: { join_rule: rule, ...(allow && { allow }) },
  };
}

/** @type {import("./index.mjs").Conversation[]} */
export const members = [
  {
    name: "who knocks is let in by an invite",
    async run({ server }) {
      const alice = await server.register(fresh("door"));
      const bob = await server.register(fresh("knock"));
      const room = await alice.createRoom({
        preset: "private_chat",
        name: "Behind a door",
        initial_state: [joinRule("knock")],
      });
      await alice.sync();
      const early = await bob.call("POST", `/join/${enc(room)}`, { body: {} });
      refused(early, 403, "M_FORBIDDEN", "a knock is needed");
      const knock = await bob.must("POST", `/knock/${enc(room)}`, { body: { reason: "me" } });
      equal(knock.room_id, room, "the room");
      const told = await bob.must("GET", "/sync");
      const types = told.rooms.knock[room].knock_state.events.map((/** @type {any} */ e) => e.type);
      ok(types.includes("m.room.name"), "the one who knocks is told of the room");
      const seen = (/** @type {any} */ e) =>
        e.state_key === bob.userId && e.content.membership === "knock" && e.content.reason === "me";
      await alice.until(() => alice.events(room).some(seen), "the knock is heard");
      await alice.must("POST", `/rooms/${enc(room)}/invite`, { body: { user_id: bob.userId } });
      await bob.join(room);
      const again = await bob.call("POST", `/knock/${enc(room)}`, { body: {} });
      refused(again, 403, "M_FORBIDDEN", "who is in need not knock");
      const closed = await alice.createRoom({ preset: "private_chat" });
      const no = await bob.call("POST", `/knock/${enc(closed)}`, { body: {} });
      refused(no, 403, "M_FORBIDDEN", "not at every room");
      const none = await bob.call("POST", `/knock/${enc("!none:here.invalid")}`, { body: {} });
      refused(none, 404, "M_NOT_FOUND", "nor at none");
    },
  },
  {
    name: "a restricted room lets in the members of another",
    async run({ server }) {
      const alice = await server.register(fresh("club"));
      const bob = await server.register(fresh("club"));
      const eve = await server.register(fresh("club"));
      const club = await alice.createRoom();
      await bob.join(club);
      for (const rule of ["restricted", "knock_restricted"]) {
        const room = await alice.createRoom({
          preset: "private_chat",
          initial_state: [joinRule(rule, [club])],
        });
        const outside = await eve.call("POST", `/join/${enc(room)}`, { body: {} });
        refused(outside, 403, "M_FORBIDDEN", "not those who are not in it");
        const forged = await eve.call(
          "PUT",
          `/rooms/${enc(room)}/state/m.room.member/${enc(eve.userId)}`,
          { body: { membership: "join", join_authorised_via_users_server: alice.userId } },
        );
        refused(forged, 403, "M_FORBIDDEN", "nor those who say that they may");
        await bob.join(room);
        const path = `/rooms/${enc(room)}/state/m.room.member/${enc(bob.userId)}`;
        const member = await bob.must("GET", path);
        equal(member.join_authorised_via_users_server, alice.userId, "and says by whose right");
        await alice.must("POST", `/rooms/${enc(room)}/invite`, { body: { user_id: eve.userId } });
        await eve.join(room);
        const summary = await bob.must("GET", `/_matrix/client/v1/room_summary/${enc(room)}`);
        equal(summary.allowed_room_ids, [club], "the summary names the other room");
      }
    },
  },
  {
    name: "who never was in a room does not read it by leaving it",
    async run({ server }) {
      const alice = await server.register(fresh("inside"));
      const [bob, eve, mallory, zoe] = await Promise.all(
        ["knocked", "invited", "banned", "left"].map((name) => server.register(fresh(name))),
      );
      if (!bob || !eve || !mallory || !zoe) {
        throw new Error("four users");
      }
      const room = await alice.createRoom({
        preset: "private_chat",
        initial_state: [joinRule("knock")],
      });
      const at = `/rooms/${enc(room)}`;
      await bob.must("POST", `/knock/${enc(room)}`, { body: {} });
      for (const user of [eve, zoe]) {
        await alice.must("POST", `${at}/invite`, { body: { user_id: user.userId } });
      }
      await zoe.join(room);
      for (const user of [bob, eve, zoe]) {
        await user.must("POST", `${at}/leave`, { body: {} });
      }
      for (const user of [mallory, zoe]) {
        await alice.must("POST", `${at}/ban`, { body: { user_id: user.userId } });
      }
      for (const user of [bob, eve, mallory]) {
        for (const path of ["state", "state/m.room.create", "members", "messages"]) {
          const answer = await user.call("GET", `${at}/${path}`);
          refused(answer, 403, "M_FORBIDDEN", `${user.userId}: ${path}`);
        }
      }
      await alice.must("PUT", `${at}/state/m.room.topic`, { body: { topic: "later" } });
      const state = await zoe.must("GET", `${at}/state`);
      const mine = state.find((/** @type {any} */ e) => e.state_key === zoe.userId);
      equal(mine.content.membership, "leave", "who was there sees it as of the leaving");
    },
  },
  {
    name: "a join says what it was given to say, and may be written as state",
    async run({ server }) {
      const alice = await server.register(fresh("custom"));
      const bob = await server.register(fresh("custom"));
      const room = await alice.createRoom();
      const path = `/rooms/${enc(room)}/state/m.room.member/${enc(bob.userId)}`;
      await bob.must("POST", `/join/${enc(room)}`, {
        body: { "org.example.foo": "bar", membership: "ban", reason: "hello" },
      });
      const member = await bob.must("GET", path);
      equal(
        [member["org.example.foo"], member.membership, member.reason],
        ["bar", "join", "hello"],
        "but what a join is",
      );
      await bob.must("POST", `/rooms/${enc(room)}/leave`, { body: {} });
      await bob.must("PUT", path, { body: { membership: "join", displayname: "Bob here" } });
      equal((await bob.must("GET", path)).displayname, "Bob here", "with a name for this room");
      const third = {
        medium: "email",
        address: "a@example.org",
        id_server: "x",
        id_access_token: "y",
      };
      const invite = await alice.call("POST", `/rooms/${enc(room)}/invite`, { body: third });
      refused(invite, 400, "M_SERVER_NOT_TRUSTED", "nobody is invited by mail");
    },
  },
  {
    name: "an alias is made by who is in the room",
    async run({ server }) {
      const alice = await server.register(fresh("alias"));
      const bob = await server.register(fresh("alias"));
      const room = await alice.createRoom({ preset: "public_chat" });
      const path = `/directory/room/${enc(`#${fresh("lure")}:${alice.serverName}`)}`;
      const body = { room_id: room };
      refused(await bob.call("PUT", path, { body }), 403, "M_FORBIDDEN", "not by others");
      await bob.join(room);
      await bob.must("PUT", path, { body });
      equal((await alice.must("GET", path)).room_id, room, "and leads there");
    },
  },
  {
    name: "an alias that is deleted no longer names its room",
    async run({ server }) {
      const alice = await server.register(fresh("alias"));
      const local = fresh("gone");
      const alias = `#${local}:${alice.serverName}`;
      const room = await alice.createRoom({ preset: "public_chat", room_alias_name: local });
      const path = `/rooms/${enc(room)}/state/m.room.canonical_alias/`;
      equal((await alice.must("GET", path)).alias, alias, "it names the room");
      await alice.must("DELETE", `/directory/room/${enc(alias)}`);
      equal(await alice.must("GET", path), {}, "until it is deleted");
    },
  },
  {
    name: "who was there is told to those who could see it",
    async run({ server }) {
      const alice = await server.register(fresh("then"));
      const bob = await server.register(fresh("then"));
      const now = async () => (await alice.must("GET", "/sync")).next_batch;
      const before = await now();
      const hidden = { history_visibility: "joined" };
      const room = await alice.createRoom({
        preset: "public_chat",
        initial_state: [{ type: "m.room.history_visibility", state_key: "", content: hidden }],
      });
      const path = `/rooms/${enc(room)}/members`;
      const alone = await now();
      await alice.say(room, "nobody is here");
      await bob.join(room);
      equal((await alice.must("GET", path)).chunk.length, 2, "two are there now");
      const then = await alice.must("GET", path, { query: { at: alone } });
      equal(then.chunk.length, 1, "one was there then");
      const early = await alice.must("GET", path, { query: { at: before } });
      equal(early.chunk, [], "and none before the room was");
      const no = await bob.call("GET", path, { query: { at: alone } });
      refused(no, 403, "M_FORBIDDEN", "who came later does not see it");
    },
  },
  {
    name: "a stranger learns nothing of a room's members by trying to put them out",
    async run({ server }) {
      const alice = await server.register(fresh("inside"));
      const carol = await server.register(fresh("outside"));
      const room = await alice.createRoom();
      for (const what of ["kick", "unban"]) {
        const path = `/rooms/${enc(room)}/${what}`;
        const answers = [];
        for (const user_id of [alice.userId, carol.userId]) {
          const answer = await carol.call("POST", path, { body: { user_id } });
          refused(answer, 403, "M_FORBIDDEN", what);
          answers.push(answer.body.error);
        }
        ok(answers[0] === answers[1] && answers[0].includes("you are not"), answers.join("; "));
      }
    },
  },
];
