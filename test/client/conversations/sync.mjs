/** What /sync tells, and to whom: gaps, filters, lazy loading, leaving, counts, private parts. */
import { equal, ok, refused } from "../check.mjs";
import { enc, fresh } from "../matrix.mjs";

/** @typedef {import("../matrix.mjs").User} User */

/**
 * Users in a public room of the first one's, all synced up to now.
 * @param {import("../matrix.mjs").Server} server
 * @param {string[]} names
 */
async function gather(server, ...names) {
  const users = await Promise.all(names.map((name) => server.register(fresh(name))));
  const room = await users[0].createRoom();
  for (const user of users.slice(1)) {
    await user.join(room);
  }
  for (const user of users) {
    await user.sync();
  }
  return { users, room };
}

/** @param {any} part */
const types = (part) => (part?.events ?? []).map((/** @type {any} */ e) => e.type);

/**
 * @param {User} user
 * @param {string} type
 * @param {unknown} content
 */
const setData = (user, type, content) =>
  user.must("PUT", `/user/${enc(user.userId)}/account_data/${type}`, { body: content });

/** @type {import("./index.mjs").Conversation[]} */
export const sync = [
  {
    name: "state that changed in a gap comes with the cut timeline",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const [alice, bob] = users;
      const path = `/rooms/${enc(room)}/state/m.room.topic`;
      await alice.must("PUT", path, { body: { topic: "missed" } });
      for (let i = 0; i < 12; i += 1) {
        await alice.say(room, `after the topic ${i}`);
      }
      const since = bob.since ?? "";
      const joined = (await bob.must("GET", "/sync", { query: { since } })).rooms.join[room];
      equal(joined.timeline.limited, true, "the timeline is cut");
      equal(types(joined.state), ["m.room.topic"], "the topic, and nothing that did not change");
      const query = { since, use_state_after: "true" };
      const after = (await bob.must("GET", "/sync", { query })).rooms.join[room];
      equal([after.state, types(after.state_after)], [undefined, ["m.room.topic"]], "state_after");
    },
  },
  {
    name: "a message alone brings no state and no summary",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const id = await users[0].say(room, "small");
      const joined = (await users[1].sync()).rooms.join[room];
      const { timeline, unread_notifications: counts, ...rest } = joined;
      ok(timeline && counts, "the message and the counts");
      const nothing = { events: [] };
      equal(
        rest,
        { account_data: nothing, ephemeral: nothing, state: nothing },
        "nothing else is said, in the places where clients look",
      );
      equal(joined.timeline.events[0].event_id, id, "the message");
    },
  },
  {
    name: "lazily loaded members are those one sees",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob", "carol");
      const [alice, bob] = users;
      for (let i = 0; i < 3; i += 1) {
        await alice.say(room, `lazy ${i}`);
      }
      const room_filter = { state: { lazy_load_members: true }, timeline: { limit: 2 } };
      const { filter_id: filter } = await bob.must("POST", `/user/${enc(bob.userId)}/filter`, {
        body: { room: room_filter },
      });
      equal(
        await bob.must("GET", `/user/${enc(bob.userId)}/filter/${filter}`),
        { room: room_filter },
        "the filter is kept as it was given",
      );
      const joined = (await bob.must("GET", "/sync", { query: { filter } })).rooms.join[room];
      const members = joined.state.events
        .filter((/** @type {any} */ e) => e.type === "m.room.member")
        .map((/** @type {any} */ e) => e.state_key);
      ok(members.includes(alice.userId) && members.includes(bob.userId), "sender and oneself");
      equal(joined.summary["m.joined_member_count"], 3, "all are counted");
      ok(types(joined.state).includes("m.room.create"), "other state is there");
    },
  },
  {
    name: "filters choose types, senders and rooms",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const [alice, bob] = users;
      await alice.say(room, "by alice");
      await bob.say(room, "by bob");
      const since = alice.since ?? "";
      /** @param {unknown} filter */
      const ask = async (filter) => {
        const query = { since, filter: JSON.stringify(filter) };
        const body = await bob.must("GET", "/sync", { query });
        const events = body.rooms?.join?.[room]?.timeline?.events ?? [];
        return events
          .filter((/** @type {any} */ e) => e.type === "m.room.message")
          .map((/** @type {any} */ e) => e.sender);
      };
      const both = [alice.userId, bob.userId];
      equal(await ask({}), both, "no filter");
      equal(await ask({ room: { timeline: { types: ["m.room.mess*"] } } }), both, "a star");
      equal(
        await ask({ room: { timeline: { not_senders: [bob.userId] } } }),
        [alice.userId],
        "one",
      );
      equal(await ask({ room: { timeline: { types: [] } } }), [], "nothing");
      equal(await ask({ room: { not_rooms: [room] } }), [], "not this room");
      const bad = { query: { filter: '{"room":3}' } };
      refused(await bob.call("GET", "/sync", bad), 400, "M_BAD_JSON", "a filter of another shape");
      const unknown = { query: { filter: "987654321" } };
      refused(await bob.call("GET", "/sync", unknown), 400, "M_INVALID_PARAM", "an unknown filter");
    },
  },
  {
    name: "a declined invite shows nothing of the room",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const bob = await server.register(fresh("bob"));
      const room = await alice.createRoom({ preset: "private_chat", topic: "secret" });
      await alice.say(room, "behind the door");
      await alice.must("POST", `/rooms/${enc(room)}/invite`, { body: { user_id: bob.userId } });
      const invite = (await bob.sync()).rooms.invite[room].invite_state;
      ok(types(invite).includes("m.room.member"), "the invite says who invites");
      await bob.must("POST", `/rooms/${enc(room)}/leave`, { body: {} });
      const left = (await bob.sync()).rooms.leave[room];
      equal(types(left.timeline), ["m.room.member"], "his own leaving");
      equal(left.state?.events ?? [], [], "no state");
      const include = { filter: JSON.stringify({ room: { include_leave: true } }) };
      const again = await bob.must("GET", "/sync", { query: include });
      ok(!JSON.stringify(again).includes("behind the door"), "nor when asked for rooms left");
    },
  },
  {
    name: "after leaving nothing more is told",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const [alice, bob] = users;
      const kick = { user_id: bob.userId, reason: "bye" };
      await alice.must("POST", `/rooms/${enc(room)}/kick`, { body: kick });
      await alice.say(room, "without him");
      const left = (await bob.sync()).rooms.leave[room];
      equal(left.timeline.events.at(-1).content.membership, "leave", "the kick is the last thing");
      await alice.say(room, "still without him");
      equal((await bob.sync()).rooms, undefined, "and then silence");
      equal((await bob.must("GET", "/sync")).rooms, undefined, "also from the start");
    },
  },
  {
    name: "full_state gives all state, and the timeline since the token",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const id = await users[0].say(room, "new");
      const body = await users[1].sync(25_000, { full_state: "true" });
      const joined = body.rooms.join[room];
      ok(types(joined.state).includes("m.room.create"), "all state");
      equal(
        joined.timeline.events.map((/** @type {any} */ e) => e.event_id),
        [id],
        "one event",
      );
      ok(room in (await users[1].sync(25_000, { full_state: "true" })).rooms.join, "at once");
    },
  },
  {
    name: "names are highlighted, and quiet rooms stay quiet",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob", "carol");
      const [alice, bob] = users;
      const local = bob.userId.slice(1, bob.userId.indexOf(":"));
      await alice.say(room, "plain");
      await alice.say(room, `you there, ${local}?`);
      await alice.send(room, "m.room.message", { msgtype: "m.notice", body: local });
      const counts = async () => (await bob.sync()).rooms.join[room].unread_notifications;
      equal(await counts(), { highlight_count: 1, notification_count: 2 }, "one is for him");
      const rule = `/pushrules/global/room/${enc(room)}`;
      await bob.must("PUT", rule, { body: { actions: ["dont_notify"] } });
      await alice.say(room, "more");
      equal(await counts(), { highlight_count: 1, notification_count: 1 }, "his name still counts");
      await bob.must("DELETE", rule);
      await alice.say(room, "and more");
      equal((await counts()).notification_count, 4, "without the rule all count");
    },
  },
  {
    name: "notifications are listed newest first, by page, with what is read",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const [alice, bob] = users;
      const other = await alice.createRoom();
      await alice.say(other, "before he came");
      await bob.join(other);
      const local = bob.userId.slice(1, bob.userId.indexOf(":"));
      const first = await alice.say(room, "one");
      await bob.say(room, "his own");
      const second = await alice.say(other, `two, ${local}`);
      await alice.send(room, "m.room.message", { msgtype: "m.notice", body: "quiet" });
      const third = await alice.say(room, "three");
      const gone = await alice.say(room, "taken back");
      const redaction = `/rooms/${enc(room)}/redact/${enc(gone)}/${fresh("txn")}`;
      await alice.must("PUT", redaction, { body: {} });
      await bob.must("POST", `/rooms/${enc(room)}/receipt/m.read/${enc(first)}`, { body: {} });
      const list = async (/** @type {any} */ query) => bob.must("GET", "/notifications", { query });
      const ids = (/** @type {any} */ page) =>
        page.notifications.map((/** @type {any} */ n) => n.event.event_id);
      const all = await list({});
      equal(ids(all), [third, second, first], "what notifies, in all rooms");
      equal(
        all.notifications.map((/** @type {any} */ n) => [n.room_id, n.read, n.actions[0]]),
        [
          [room, false, "notify"],
          [other, false, "notify"],
          [room, true, "notify"],
        ],
        "where it is, whether it was read, what is done",
      );
      equal(all.next_token, undefined, "that was all");
      equal(ids(await list({ only: "highlight" })), [second], "his name");
      const page = await list({ limit: "2" });
      equal(ids(page), [third, second], "a page");
      equal(ids(await list({ limit: "2", from: page.next_token })), [first], "and the next");
      for (const [key, value] of Object.entries({ from: "x", limit: "-1" })) {
        const answer = await bob.call("GET", "/notifications", { query: { [key]: value } });
        refused(answer, 400, "M_INVALID_PARAM", `${key}=${value}`);
      }
    },
  },
  {
    name: "a private receipt is told to its user alone",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const [alice, bob] = users;
      const id = await alice.say(room, "read me quietly");
      await alice.sync();
      const path = `/rooms/${enc(room)}/receipt/m.read.private/${enc(id)}`;
      await bob.must("POST", path, { body: {} });
      const own = await bob.sync();
      ok(JSON.stringify(own).includes("m.read.private"), "bob's clients know");
      ok(!JSON.stringify(await alice.sync()).includes("m.read.private"), "alice's do not");
      await alice.say(room, "next");
      ok(!JSON.stringify(await alice.sync()).includes("m.read.private"), "nor later");
      const markers = { "m.fully_read": id, "m.read": id };
      await bob.must("POST", `/rooms/${enc(room)}/read_markers`, { body: markers });
      const marked = (await bob.sync()).rooms.join[room].account_data.events[0];
      equal([marked.type, marked.content.event_id], ["m.fully_read", id], "the marker is his own");
    },
  },
  {
    name: "who is ignored is not heard",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const [alice, bob] = users;
      const list = { ignored_users: { [alice.userId]: {} } };
      await setData(bob, "m.ignored_user_list", list);
      await bob.sync();
      await alice.say(room, "hello?");
      ok(!JSON.stringify(await bob.sync()).includes("hello?"), "nothing is heard");
      await setData(bob, "m.ignored_user_list", { ignored_users: {} });
      const last = await alice.say(room, "and now?");
      await bob.see(room, last);
    },
  },
  {
    name: "presence is told to those who share a room",
    async run({ server }) {
      const { users } = await gather(server, "alice", "bob");
      const [alice, bob] = users;
      const stranger = await server.register(fresh("stranger"));
      const path = `/presence/${enc(alice.userId)}/status`;
      await bob.sync();
      await alice.must("PUT", path, { body: { presence: "unavailable", status_msg: "tea" } });
      const events = (await bob.sync()).presence.events;
      const hers = events.find((/** @type {any} */ e) => e.sender === alice.userId);
      equal(
        [hers.content.presence, hers.content.status_msg],
        ["unavailable", "tea"],
        "bob sees it",
      );
      equal((await bob.must("GET", path)).status_msg, "tea", "and may ask");
      refused(await stranger.call("GET", path), 403, "M_FORBIDDEN", "a stranger may not");
      const long = { presence: "online", status_msg: "x".repeat(1025) };
      refused(await alice.call("PUT", path, { body: long }), 400, "M_TOO_LARGE", "a long story");
    },
  },
  {
    name: "a waiting sync ends with its device",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      await alice.sync();
      const query = { since: alice.since ?? "", timeout: 25_000 };
      const waiting = alice.call("GET", "/sync", { query, withinMs: 10_000 });
      await alice.must("POST", "/logout");
      refused(await waiting, 401, "M_UNKNOWN_TOKEN", "the wait is over");
    },
  },
  {
    name: "lazily loaded members come once, unless they are asked for again",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const [alice, bob] = users;
      const lazy = (/** @type {boolean} */ again) => {
        const state = { lazy_load_members: true, include_redundant_members: again };
        return JSON.stringify({ room: { state } });
      };
      const told = async (/** @type {string} */ filter) => {
        await alice.say(room, "again");
        const body = await bob.sync(0, { filter });
        return types(body.rooms.join[room].state);
      };
      equal(await told(lazy(false)), ["m.room.member"], "the sender, the first time");
      equal(await told(lazy(false)), [], "not the second time");
      equal(await told(lazy(true)), ["m.room.member"], "but when asked for");
    },
  },
  {
    name: "threads are counted apart, and read apart",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const [alice, bob] = users;
      const root = await alice.say(room, "root");
      const reply = await alice.send(room, "m.room.message", {
        msgtype: "m.text",
        body: "reply",
        "m.relates_to": { rel_type: "m.thread", event_id: root },
      });
      const filter = JSON.stringify({ room: { timeline: { unread_thread_notifications: true } } });
      const counts = async (/** @type {Record<string, string>} */ query) => {
        const part = (await bob.must("GET", "/sync", { query })).rooms.join[room];
        return [
          part.unread_notifications.notification_count,
          part.unread_thread_notifications?.[root]?.notification_count,
        ];
      };
      equal(await counts({ filter }), [1, 1], "one in the room, one in the thread");
      equal(await counts({}), [2, undefined], "together, when not asked for");
      const path = `/rooms/${enc(room)}/receipt/m.read`;
      await bob.must("POST", `${path}/${enc(reply)}`, { body: { thread_id: root } });
      equal(await counts({ filter }), [1, undefined], "the thread is read");
      equal(await counts({}), [1, undefined], "and only the thread");
      await bob.must("POST", `${path}/${enc(root)}`, { body: { thread_id: "main" } });
      equal(await counts({ filter }), [0, undefined], "then the rest");
    },
  },
  {
    name: "an invite of an ignored user is not heard",
    async run({ server }) {
      const { users } = await gather(server, "alice", "bob");
      const [alice, bob] = users;
      await setData(bob, "m.ignored_user_list", { ignored_users: { [alice.userId]: {} } });
      const room = await alice.createRoom({ preset: "private_chat", invite: [bob.userId] });
      await bob.sync();
      ok(!bob.rooms.has(room), "nothing is told");
    },
  },
  {
    name: "members are listed as they were at a token",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const [alice, bob] = users;
      const carol = await server.register(fresh("carol"));
      const path = `/rooms/${enc(room)}/members`;
      const before = alice.since ?? "";
      await carol.join(room);
      await bob.must("POST", `/rooms/${enc(room)}/leave`, { body: {} });
      const names = async (/** @type {Record<string, string>} */ query) =>
        (await alice.must("GET", path, { query })).chunk
          .map((/** @type {any} */ e) => e.state_key)
          .sort();
      equal(
        await names({ membership: "join" }),
        [alice.userId, carol.userId].sort(),
        "who is there now",
      );
      const then = await names({ membership: "join", at: before });
      equal(then, [alice.userId, bob.userId].sort(), "who was there then");
      const bad = await alice.call("GET", path, { query: { at: "nonsense" } });
      refused(bad, 400, "M_INVALID_PARAM", "no token");
    },
  },
  {
    name: "a timeline of no events is empty, and says that there are some",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const filter = JSON.stringify({ room: { timeline: { limit: 0 } } });
      await users[0].say(room, "unseen");
      const { timeline } = (await users[1].sync(0, { filter })).rooms.join[room];
      equal([timeline.events, timeline.limited], [[], true], "none of it");
    },
  },
  {
    name: "heroes are told of rooms without a name",
    async run({ server }) {
      const { users, room } = await gather(server, "alice", "bob");
      const [alice, bob] = users;
      const summary = async () => (await bob.must("GET", "/sync")).rooms.join[room].summary;
      equal((await summary())["m.heroes"], [alice.userId], "of one without");
      const path = `/rooms/${enc(room)}/state/m.room.name/`;
      await alice.must("PUT", path, { body: { name: "Named" } });
      equal((await summary())["m.heroes"], undefined, "not of one with");
      equal((await summary())["m.joined_member_count"], 2, "who is there is counted");
    },
  },
];
