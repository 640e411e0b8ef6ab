/** What relates to an event, threads, and the event at a time. */
import { equal, ok, refused } from "../check.mjs";
import { enc, fresh } from "../matrix.mjs";

/** @param {any[]} list */
const ids = (list) => list.map((e) => e.event_id);

/**
 * @param {import("../matrix.mjs").User} user
 * @param {string} room
 * @param {string} target
 * @param {string} relType
 * @param {string} body
 */
function relate(user, room, target, relType, body) {
  const relation = { rel_type: relType, event_id: target };
  return user.send(room, "m.room.message", {
    msgtype: "m.text",
    body,
    "m.relates_to": relation,
    ...(relType === "m.replace" && { "m.new_content": { msgtype: "m.text", body } }),
  });
}

/** @type {import("./index.mjs").Conversation[]} */
export const relations = [
  {
    name: "children of an event are listed by relation and type, in pages, both ways",
    async run({ server }) {
      const alice = await server.register(fresh("rel"));
      const room = await alice.createRoom();
      const root = await alice.say(room, "root");
      const refs = [];
      for (let i = 0; i < 5; i += 1) {
        refs.push(await relate(alice, room, root, "m.reference", `ref ${i}`));
      }
      const annotation = { rel_type: "m.annotation", event_id: root, key: "👍" };
      const like = await alice.send(room, "m.reaction", { "m.relates_to": annotation });
      const path = `/rooms/${enc(room)}/relations/${enc(root)}`;
      const all = await alice.must("GET", `/_matrix/client/v1${path}`, { query: { limit: 50 } });
      equal(ids(all.chunk), [like, ...refs.toReversed()], "all, newest first");
      const typed = `/_matrix/client/v1${path}/m.reference`;
      equal(
        ids((await alice.must("GET", typed, { query: { dir: "f" } })).chunk),
        refs,
        "of one relation, oldest first",
      );
      const reactions = `/_matrix/client/v1${path}/m.annotation/m.reaction`;
      equal(ids((await alice.must("GET", reactions)).chunk), [like], "of one type");
      const none = `/_matrix/client/v1${path}/m.annotation/m.room.message`;
      equal((await alice.must("GET", none)).chunk, [], "none of another type");
      /** @type {string[]} */
      const seen = [];
      /** @type {Record<string, string | number>} */
      let query = { limit: 2 };
      for (let page = 0; page < 5; page += 1) {
        const body = await alice.must("GET", typed, { query });
        seen.push(...ids(body.chunk));
        if (body.next_batch === undefined) {
          break;
        }
        query = { limit: 2, from: body.next_batch };
      }
      equal(seen, refs.toReversed(), "pages hold each once");
      const missing = await alice.call("GET", `/rooms/${enc(room)}/relations/${enc("$no")}`);
      refused(missing, 404, "M_NOT_FOUND", "of no event");
      const stranger = await server.register(fresh("other"));
      const priv = await alice.createRoom({ preset: "private_chat" });
      const id = await alice.say(priv, "closed");
      const closed = await stranger.call("GET", `/rooms/${enc(priv)}/relations/${enc(id)}`);
      ok(closed.status === 403 || closed.status === 404, `a closed room: ${closed.status}`);
    },
  },
  {
    name: "relations of relations are followed when asked for",
    async run({ server }) {
      const alice = await server.register(fresh("deep"));
      const room = await alice.createRoom();
      const root = await alice.say(room, "root");
      const reply = await relate(alice, room, root, "m.thread", "reply");
      const edit = await relate(alice, room, reply, "m.replace", "better");
      const path = `/_matrix/client/v1/rooms/${enc(room)}/relations/${enc(root)}`;
      equal(ids((await alice.must("GET", path)).chunk), [reply], "direct ones");
      const deep = await alice.must("GET", path, { query: { recurse: "true" } });
      equal(ids(deep.chunk), [edit, reply], "and those below");
      equal(deep.recursion_depth, 3, "so deep");
    },
  },
  {
    name: "an event bundles its edit, its references and its thread",
    async run({ server }) {
      const alice = await server.register(fresh("bundle"));
      const bob = await server.register(fresh("bundle"));
      const room = await alice.createRoom();
      await bob.join(room);
      const root = await alice.say(room, "frist");
      await relate(bob, room, root, "m.replace", "not yours to edit");
      await relate(alice, room, root, "m.replace", "second");
      const edit = await relate(alice, room, root, "m.replace", "first");
      const ref = await relate(bob, room, root, "m.reference", "as said");
      await relate(alice, room, root, "m.thread", "one");
      const two = await relate(alice, room, root, "m.thread", "two");
      const path = `/rooms/${enc(room)}/event/${enc(root)}`;
      const get = async (/** @type {import("../matrix.mjs").User} */ user) =>
        (await user.must("GET", path)).unsigned["m.relations"];
      const seen = await get(bob);
      equal(seen["m.replace"].event_id, edit, "the newest edit of its own sender");
      equal(seen["m.replace"].content["m.new_content"].body, "first", "whole");
      equal(seen["m.reference"], { chunk: [{ event_id: ref }] }, "references");
      equal(seen["m.thread"].count, 2, "the thread's length");
      equal(seen["m.thread"].latest_event.event_id, two, "and newest reply");
      equal(seen["m.thread"].current_user_participated, false, "not of this user");
      equal((await get(alice))["m.thread"].current_user_participated, true, "but of that one");
      await alice.must("PUT", `/rooms/${enc(room)}/redact/${enc(two)}/r1`, { body: {} });
      await alice.must("PUT", `/rooms/${enc(room)}/redact/${enc(edit)}/r2`, { body: {} });
      const after = await get(bob);
      equal(after["m.thread"].count, 1, "what was redacted counts no more");
      equal(after["m.replace"].content["m.new_content"].body, "second", "nor does it edit");
    },
  },
  {
    name: "nothing is bundled for those who left before it was said",
    async run({ server }) {
      const alice = await server.register(fresh("stays"));
      const bob = await server.register(fresh("leaves"));
      const room = await alice.createRoom();
      await bob.join(room);
      const root = await alice.say(room, "root");
      const edit = await relate(alice, room, root, "m.replace", "edited before");
      const ref = await relate(alice, room, root, "m.reference", "as said before");
      const reply = await relate(alice, room, root, "m.thread", "replied before");
      await bob.must("POST", `/rooms/${enc(room)}/leave`, { body: {} });
      await relate(alice, room, root, "m.replace", "edited after");
      await relate(alice, room, root, "m.reference", "as said after");
      await relate(alice, room, root, "m.thread", "replied after");
      const path = `/rooms/${enc(room)}/event/${enc(root)}`;
      const seen = (await bob.must("GET", path)).unsigned["m.relations"];
      equal(seen["m.replace"].event_id, edit, "the edit");
      equal(seen["m.reference"].chunk, [{ event_id: ref }], "the reference");
      equal(seen["m.thread"].latest_event.event_id, reply, "the reply");
    },
  },
  {
    name: "threads are listed, newest reply first",
    async run({ server }) {
      const alice = await server.register(fresh("threads"));
      const bob = await server.register(fresh("threads"));
      const room = await alice.createRoom();
      await bob.join(room);
      const roots = [];
      for (let i = 0; i < 3; i += 1) {
        roots.push(await alice.say(room, `root ${i}`));
      }
      const [first, second, third] = /** @type {[string, string, string]} */ (roots);
      for (const root of [third, first, second, third]) {
        await relate(alice, room, root, "m.thread", "reply");
      }
      await relate(bob, room, first, "m.thread", "me too");
      const path = `/_matrix/client/v1/rooms/${enc(room)}/threads`;
      const all = await bob.must("GET", path);
      equal(ids(all.chunk), [first, third, second], "by their newest reply");
      equal(all.chunk[1].unsigned["m.relations"]["m.thread"].count, 2, "with what they hold");
      const own = await bob.must("GET", path, { query: { include: "participated" } });
      equal(ids(own.chunk), [first], "one's own");
      const page = await bob.must("GET", path, { query: { limit: 1 } });
      equal(ids(page.chunk), [first], "a page");
      const next = await bob.must("GET", path, { query: { limit: 5, from: page.next_batch } });
      equal(ids(next.chunk), [third, second], "and the next");
      equal(next.next_batch, undefined, "which is the last");
      const bad = await bob.call("GET", path, { query: { from: "nonsense" } });
      refused(bad, 400, "M_INVALID_PARAM", "no token");
    },
  },
  {
    name: "the event nearest to a time is found in both directions",
    async run({ server }) {
      const alice = await server.register(fresh("time"));
      const room = await alice.createRoom();
      const id = await alice.say(room, "when");
      const { origin_server_ts: ts } = await alice.must(
        "GET",
        `/rooms/${enc(room)}/event/${enc(id)}`,
      );
      const path = `/_matrix/client/v1/rooms/${enc(room)}/timestamp_to_event`;
      const at = (/** @type {number} */ time, /** @type {string} */ dir) =>
        alice.call("GET", path, { query: { ts: time, dir } });
      const back = await at(ts + 10_000, "b");
      equal(back.body, { event_id: id, origin_server_ts: ts }, "the last before");
      const forth = await at(0, "f");
      const create = await alice.must(
        "GET",
        `/rooms/${enc(room)}/event/${enc(forth.body.event_id)}`,
      );
      ok(create.origin_server_ts <= ts, "the first after the beginning of time");
      refused(await at(1, "b"), 404, "M_NOT_FOUND", "nothing before the room");
      refused(await at(ts + 10_000, "f"), 404, "M_NOT_FOUND", "nothing in the future");
      const bad = await alice.call("GET", path, { query: { dir: "f" } });
      equal(bad.status, 400, "a time is wanted");
    },
  },
];
