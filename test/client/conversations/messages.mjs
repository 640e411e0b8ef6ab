/** Messages and what goes with them: sync, edits, reactions, redactions, typing, receipts. */
import { equal, ok, refused } from "../check.mjs";
import { enc, fresh } from "../matrix.mjs";

/**
 * Two users in a public room, both synced up to now.
 * @param {import("../matrix.mjs").Server} server
 */
async function pair(server) {
  const alice = await server.register(fresh("alice"));
  const bob = await server.register(fresh("bob"));
  const room = await alice.createRoom();
  await bob.join(room);
  await alice.sync();
  await bob.sync();
  return { alice, bob, room };
}

/** @type {import("./index.mjs").Conversation[]} */
export const messages = [
  {
    name: "messages arrive as they were sent",
    async run({ server }) {
      const { alice, bob, room } = await pair(server);
      const texts = [
        "plain",
        "emoji 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
        "many\nlines\n\twith a tab",
        'quotes " and \\ and </script>',
        "a nul \u0000 in the middle",
        "long ".repeat(6000),
      ];
      for (const text of texts) {
        const event = await bob.see(room, await alice.say(room, text));
        equal(event.content, { msgtype: "m.text", body: text }, text.slice(0, 20));
        equal(event.sender, alice.userId, "from its sender");
        ok(Math.abs(event.origin_server_ts - Date.now()) < 600_000, "with its time");
      }
      equal(bob.texts(room, alice.userId), texts, "in order, once each");
    },
  },
  {
    name: "an edit and a reaction name the event they belong to",
    async run({ server }) {
      const { alice, bob, room } = await pair(server);
      const id = await alice.say(room, "frist");
      const edit = await alice.send(room, "m.room.message", {
        msgtype: "m.text",
        body: "* first",
        "m.new_content": { msgtype: "m.text", body: "first" },
        "m.relates_to": { rel_type: "m.replace", event_id: id },
      });
      const relation = { rel_type: "m.annotation", event_id: id, key: "👍" };
      const reaction = await bob.send(room, "m.reaction", { "m.relates_to": relation });
      const seen = await bob.see(room, edit);
      equal(seen.content["m.new_content"].body, "first", "the edit carries the new text");
      equal((await alice.see(room, reaction)).content["m.relates_to"], relation, "the reaction");
    },
  },
  {
    name: "a redaction empties the event for everybody",
    async run({ server }) {
      const { alice, bob, room } = await pair(server);
      const id = await alice.say(room, "I did not mean to");
      await bob.see(room, id);
      const path = `/rooms/${enc(room)}/redact/${enc(id)}/${fresh("t")}`;
      const { event_id: redaction } = await alice.must("PUT", path, { body: { reason: "oops" } });
      const seen = await bob.see(room, redaction);
      equal(seen.type, "m.room.redaction", "the redaction arrives");
      equal(seen.redacts ?? seen.content.redacts, id, "and names the event");
      const event = await bob.must("GET", `/rooms/${enc(room)}/event/${enc(id)}`);
      equal(event.content, {}, "its content is gone");
      const page = await bob.must("GET", `/rooms/${enc(room)}/messages`, { query: { dir: "b" } });
      ok(!JSON.stringify(page).includes("did not mean"), "from the history as well");
      const own = await bob.say(room, "mine");
      const other = await bob.call("PUT", `/rooms/${enc(room)}/redact/${enc(id)}/x`, { body: {} });
      refused(other, 403, "M_FORBIDDEN", "what others wrote is not everybody's to redact");
      await alice.must("PUT", `/rooms/${enc(room)}/redact/${enc(own)}/y`, { body: {} });
    },
  },
  {
    name: "a waiting sync is woken by the message",
    async run({ server }) {
      const { alice, bob, room } = await pair(server);
      for (let i = 0; i < 5; i += 1) {
        const since = bob.since ?? "";
        const query = { since, timeout: 25_000 };
        const waiting = bob.must("GET", "/sync", { query, withinMs: 10_000 });
        const id = await alice.say(room, `wake ${i}`);
        const body = await waiting;
        const events = body.rooms?.join?.[room]?.timeline?.events ?? [];
        equal(
          events.map((/** @type {any} */ e) => e.event_id),
          [id],
          "the answer is the message",
        );
        bob.since = body.next_batch;
      }
    },
  },
  {
    name: "a sync with nothing new waits, and then says so",
    async run({ server }) {
      const { bob } = await pair(server);
      const body = await bob.sync(200);
      equal(Object.keys(body.rooms?.join ?? {}), [], "no room");
      equal((await bob.sync(0)).rooms?.join ?? {}, {}, "nor later");
    },
  },
  {
    name: "a sync token of another database gets everything",
    async run({ server }) {
      const { bob, room } = await pair(server);
      const strange = { since: "s1_strange" };
      const first = await bob.must("GET", "/sync", { query: strange });
      ok(room in first.rooms.join, "the room is there again");
    },
  },
  {
    name: "a filter cuts the timeline and history fills the gap",
    async run({ server }) {
      const { alice, bob, room } = await pair(server);
      const sent = [];
      for (let i = 0; i < 12; i += 1) {
        sent.push(await alice.say(room, `gap ${i}`));
      }
      const filter = JSON.stringify({ room: { timeline: { limit: 3 } } });
      const body = await bob.sync(0, { filter });
      const { timeline } = body.rooms.join[room];
      equal(timeline.limited, true, "the timeline is cut");
      const ids = (/** @type {any[]} */ list) => list.map((e) => e.event_id);
      equal(ids(timeline.events), sent.slice(-3), "to the newest three");
      const page = await bob.must("GET", `/rooms/${enc(room)}/messages`, {
        query: { dir: "b", from: timeline.prev_batch, limit: 9 },
      });
      equal(ids(page.chunk), sent.slice(0, 9).toReversed(), "the rest is before it");
    },
  },
  {
    name: "typing is shown, and taken back",
    async run({ server }) {
      const { alice, bob, room } = await pair(server);
      const path = `/rooms/${enc(room)}/typing/${enc(alice.userId)}`;
      const last = () =>
        bob
          .whispers(room)
          .filter((e) => e.type === "m.typing")
          .at(-1)?.content.user_ids;
      await alice.must("PUT", path, { body: { typing: true, timeout: 20_000 } });
      await bob.until(() => last()?.includes(alice.userId), "typing is shown");
      await alice.must("PUT", path, { body: { typing: false } });
      await bob.until(() => last()?.length === 0, "typing has ended");
    },
  },
  {
    name: "a read receipt reaches the sender",
    async run({ server }) {
      const { alice, bob, room } = await pair(server);
      const id = await alice.say(room, "read me");
      await bob.see(room, id);
      const path = `/rooms/${enc(room)}/receipt/m.read/${enc(id)}`;
      await bob.must("POST", path, { body: {} });
      await alice.until(
        () =>
          alice
            .whispers(room)
            .some((e) => e.type === "m.receipt" && e.content[id]?.["m.read"]?.[bob.userId]),
        "the receipt is seen",
      );
    },
  },
  {
    name: "the same transaction id sends once",
    async run({ server }) {
      const { alice, bob, room } = await pair(server);
      const content = { msgtype: "m.text", body: "once" };
      const first = await alice.send(room, "m.room.message", content, "same");
      const second = await alice.send(room, "m.room.message", content, "same");
      equal(second, first, "the same event");
      const last = await alice.say(room, "after");
      await bob.see(room, last);
      equal(bob.texts(room, alice.userId), ["once", "after"], "seen once");
    },
  },
  {
    name: "the same request id does the work once",
    async run({ server }) {
      const alice = await server.register(fresh("twice"));
      const requestId = crypto.randomUUID();
      const body = { preset: "public_chat", name: "one room" };
      const first = await alice.must("POST", "/createRoom", { body, requestId });
      const second = await alice.must("POST", "/createRoom", { body, requestId });
      equal(second, first, "the same answer");
      equal((await alice.must("GET", "/joined_rooms")).joined_rooms, [first.room_id], "one room");
      const other = await alice.call("POST", "/createRoom", { body: { name: "two" }, requestId });
      refused(other, 400, "M_INVALID_PARAM", "another body under the same id");
      const [a, b] = await Promise.all(
        [0, 1].map(() => alice.must("POST", "/createRoom", { body, requestId: "parallel-1" })),
      );
      equal(a, b, "also when both are under way");
    },
  },
  {
    name: "unread messages are counted until they are read",
    async run({ server }) {
      const { alice, bob, room } = await pair(server);
      await alice.say(room, "one");
      const id = await alice.say(room, "two");
      let count = -1;
      const look = async () => {
        const body = await bob.sync();
        count = body.rooms?.join?.[room]?.unread_notifications?.notification_count ?? count;
      };
      await look();
      equal(count, 2, "two are unread");
      await bob.must("POST", `/rooms/${enc(room)}/receipt/m.read/${enc(id)}`, { body: {} });
      await look();
      equal(count, 0, "none after reading");
    },
  },
];
