/** The streams of before /sync, which clients use to look into rooms that they are not in. */
import { equal, ok, refused } from "../check.mjs";
import { enc, fresh } from "../matrix.mjs";

/**
 * @param {import("../matrix.mjs").User} user
 * @param {Record<string, string | number>} query
 */
const events = (user, query) => user.must("GET", "/events", { query });

/** @type {import("./index.mjs").Conversation[]} */
export const peeking = [
  {
    name: "a room that anybody may read is looked into and followed by who is not in it",
    async run({ server }) {
      const alice = await server.register(fresh("open"));
      const bob = await server.register(fresh("passer"));
      const room = await alice.createRoom({ preset: "public_chat" });
      await alice.say(room, "before");
      const path = `/rooms/${enc(room)}/initialSync`;
      const peek = () => bob.call("GET", "/events", { query: { room_id: room } });
      refused(await bob.call("GET", path), 403, "M_FORBIDDEN", "it is not open yet");
      refused(await peek(), 403, "M_FORBIDDEN", "nor its stream");
      const visibility = { history_visibility: "world_readable" };
      const setting = `/rooms/${enc(room)}/state/m.room.history_visibility`;
      await alice.must("PUT", setting, { body: visibility });
      await alice.say(room, "open to all");
      const seen = await bob.must("GET", path);
      const bodies = seen.messages.chunk.map((/** @type {any} */ e) => e.content.body);
      ok(bodies.includes("open to all") && !bodies.includes("before"), `seen: ${bodies}`);
      equal(seen.membership, undefined, "he is not in it");
      ok(seen.state.length > 4, "its state");
      const waiting = events(bob, { room_id: room, from: seen.messages.end, timeout: 20_000 });
      const sent = await alice.say(room, "news");
      const told = await waiting;
      equal(
        told.chunk.map((/** @type {any} */ e) => e.event_id),
        [sent],
        "the news come when they are there",
      );
      equal(told.chunk[0].room_id, room, "with their room");
      const later = await events(bob, { room_id: room, from: told.end, timeout: 0 });
      equal([later.chunk, later.start], [[], told.end], "and nothing twice");
      equal((await bob.sync()).rooms, undefined, "his own sync knows nothing of it");
      await alice.must("PUT", setting, { body: { history_visibility: "shared" } });
      refused(await peek(), 403, "M_FORBIDDEN", "closed again");
    },
  },
  {
    name: "the old stream tells messages, invites, typing, receipts and own data in one list",
    async run({ server }) {
      const alice = await server.register(fresh("old"));
      const bob = await server.register(fresh("young"));
      const room = await alice.createRoom({ invite: [bob.userId], preset: "private_chat" });
      const { end } = await events(bob, { timeout: 0 });
      equal((await events(bob, { from: end, timeout: 0 })).chunk, [], "from now on");
      await bob.join(room);
      const id = await alice.say(room, "hello");
      const receipt = `/rooms/${enc(room)}/receipt/m.read/${enc(id)}`;
      await alice.must("POST", receipt, { body: {} });
      const typing = `/rooms/${enc(room)}/typing/${enc(alice.userId)}`;
      await alice.must("PUT", typing, { body: { typing: true, timeout: 30_000 } });
      const own = `/user/${enc(bob.userId)}/account_data/org.example.own`;
      await bob.must("PUT", own, { body: { kept: true } });
      const { chunk, end: upto } = await events(bob, { from: end, timeout: 0 });
      const types = chunk.map((/** @type {any} */ e) => e.type);
      for (const type of ["m.room.message", "m.receipt", "m.typing", "org.example.own"]) {
        ok(types.includes(type), `${type} among ${types}`);
      }
      const other = await alice.createRoom({ invite: [bob.userId], preset: "private_chat" });
      const invited = await events(bob, { from: upto, timeout: 0 });
      ok(
        invited.chunk.some(
          (/** @type {any} */ e) => e.room_id === other && e.content.membership === "invite",
        ),
        "an invite",
      );
      const wrong = await bob.call("GET", "/events", { query: { from: "nonsense" } });
      refused(wrong, 400, "M_INVALID_PARAM", "a token of nobody");
    },
  },
  {
    name: "a long absence is told in pages, in order and each event once",
    async run({ server }) {
      const alice = await server.register(fresh("pages"));
      const rooms = [await alice.createRoom(), await alice.createRoom()];
      let { end } = await events(alice, { timeout: 0 });
      const sent = [];
      for (let i = 0; i < 130; i += 1) {
        sent.push(await alice.say(rooms[i % 2], `message ${i}`));
      }
      /** @type {string[]} */
      const seen = [];
      for (let page = 0; page < 2; page += 1) {
        const told = await events(alice, { from: end, timeout: 0 });
        const messages = told.chunk.filter((/** @type {any} */ e) => e.type === "m.room.message");
        seen.push(...messages.map((/** @type {any} */ e) => e.event_id));
        end = told.end;
      }
      equal(seen, sent, "all of them");
    },
  },
  {
    name: "what one may not see does not hold up what comes after it",
    async run({ server }) {
      const alice = await server.register(fresh("hides"));
      const bob = await server.register(fresh("passer"));
      const type = "m.room.history_visibility";
      const [hidden, open] = ["joined", "world_readable"].map((history_visibility) => ({
        history_visibility,
      }));
      const room = await alice.createRoom({
        preset: "public_chat",
        initial_state: [{ type, state_key: "", content: hidden }],
      });
      const { end } = await events(bob, { timeout: 0 });
      for (let i = 0; i < 101; i += 1) {
        await alice.say(room, `hidden ${i}`);
      }
      await alice.must("PUT", `/rooms/${enc(room)}/state/${type}`, { body: open });
      const id = await alice.say(room, "open");
      const now = (await events(bob, { timeout: 0 })).end;
      const past = events(bob, { room_id: room, from: end, timeout: 20_000 });
      const future = events(bob, { room_id: room, from: now, timeout: 3_000 });
      equal(await Promise.race([past, future]), await past, "it is not waited for");
      const { chunk, end: upto } = await past;
      equal(chunk, [], "nothing to see yet");
      const told = await events(bob, { room_id: room, from: upto, timeout: 0 });
      ok(
        told.chunk.some((/** @type {any} */ e) => e.event_id === id),
        "then what is open",
      );
      await alice.say(room, "an end of the waiting");
      await future;
    },
  },
  {
    name: "who left is told nothing of those who are in the room now",
    async run({ server }) {
      const alice = await server.register(fresh("stays"));
      const bob = await server.register(fresh("goes"));
      const room = await alice.createRoom({ preset: "public_chat" });
      await bob.join(room);
      const path = `/rooms/${enc(room)}/initialSync`;
      const inside = await bob.must("GET", path);
      const senders = inside.presence.map((/** @type {any} */ e) => e.sender);
      ok(senders.includes(alice.userId), `inside he is told of ${senders}`);
      await bob.must("POST", `/rooms/${enc(room)}/leave`, { body: {} });
      const id = await alice.say(room, "he is gone");
      await alice.must("POST", `/rooms/${enc(room)}/receipt/m.read/${enc(id)}`, { body: {} });
      const { presence, receipts } = await bob.must("GET", path);
      equal([presence, receipts], [[], []], "outside of nobody");
    },
  },
  {
    name: "initialSync tells rooms, invites, own data and, when asked, rooms one has left",
    async run({ server }) {
      const alice = await server.register(fresh("first"));
      const bob = await server.register(fresh("second"));
      const room = await alice.createRoom({ visibility: "public", preset: "public_chat" });
      const left = await alice.createRoom({ preset: "public_chat" });
      const invited = await bob.createRoom({ invite: [alice.userId] });
      await bob.join(left);
      await alice.say(left, "I was here");
      await alice.must("POST", `/rooms/${enc(left)}/leave`, { body: {} });
      await bob.say(left, "she is gone");
      const data = `/user/${enc(alice.userId)}/rooms/${enc(room)}/account_data/org.example.r`;
      await alice.must("PUT", data, { body: { rats: true } });
      const now = await alice.must("GET", "/initialSync", { query: { limit: 0 } });
      const of = (/** @type {any} */ all, /** @type {string} */ id) =>
        all.rooms.find((/** @type {any} */ r) => r.room_id === id);
      equal(of(now, room).visibility, "public", "a public room");
      equal(of(now, room).messages.chunk, [], "no messages are asked for");
      equal(of(now, room).account_data[0].content, { rats: true }, "own data");
      equal(of(now, invited).invite.content.membership, "invite", "the invite");
      equal(of(now, left), undefined, "the room that was left");
      const all = await alice.must("GET", "/initialSync", { query: { archived: "true" } });
      const bodies = of(all, left).messages.chunk.map((/** @type {any} */ e) => e.content.body);
      ok(bodies.includes("I was here") && !bodies.includes("she is gone"), "up to the leave");
      const { event_id: id } = of(all, room).state[0];
      equal((await alice.must("GET", `/events/${enc(id)}`)).event_id, id, "one event by its id");
      const strange = await bob.call("GET", `/events/${enc("$none")}`);
      refused(strange, 404, "M_NOT_FOUND", "an event that is not there");
    },
  },
];
