/** Searching what was said. */
import { equal, ok, refused } from "../check.mjs";
import { enc, fresh } from "../matrix.mjs";

/**
 * @param {import("../matrix.mjs").User} user
 * @param {Record<string, unknown>} events
 * @param {Record<string, string>} [query]
 */
async function find(user, events, query = {}) {
  const body = { search_categories: { room_events: events } };
  const answer = await user.must("POST", "/search", { body, query });
  return answer.search_categories.room_events;
}

/** @param {any} found */
const ids = (found) => found.results.map((/** @type {any} */ r) => r.result.event_id);

/** @type {import("./index.mjs").Conversation[]} */
export const search = [
  {
    name: "what was said is found by its words, by those who may read it",
    async run({ server }) {
      const alice = await server.register(fresh("find"));
      const bob = await server.register(fresh("find"));
      const room = await alice.createRoom();
      await bob.join(room);
      const word = `zebra${Date.now()}`;
      const one = await alice.say(room, `The ${word} runs`);
      const two = await bob.say(room, `no "${word}" ran, OR did it? running`);
      await alice.say(room, "something else");
      equal(ids(await find(alice, { search_term: word, order_by: "recent" })), [two, one], "both");
      const stems = await find(alice, { search_term: `${word} run`, order_by: "recent" });
      equal(ids(stems), [two, one], "by the stem of a word");
      const one_only = await find(alice, { search_term: `${word} the`, keys: ["content.body"] });
      equal(ids(one_only), [one], "all words count");
      equal(one_only.highlights, [word, "the"], "they are named");
      equal(one_only.count, 1, "and counted");
      equal(ids(await find(alice, { search_term: word, keys: ["content.name"] })), [], "no name");
      const mine = { senders: [bob.userId] };
      equal(ids(await find(alice, { search_term: word, filter: mine })), [two], "by sender");
      const stranger = await server.register(fresh("find"));
      equal(ids(await find(stranger, { search_term: word })), [], "not by others");
      const odd = await find(alice, { search_term: 'AND ( " NEAR * body:' });
      equal(odd.results, [], "operators are words");
      await alice.must("PUT", `/rooms/${enc(room)}/redact/${enc(one)}/r`, { body: {} });
      equal(ids(await find(alice, { search_term: word })), [two], "nor what was redacted");
      const no = await alice.call("POST", "/search", { body: {} });
      refused(no, 400, "M_MISSING_PARAM", "categories are wanted");
    },
  },
  {
    name: "results come in pages and groups, with what was said around them",
    async run({ server }) {
      const alice = await server.register(fresh("around"));
      const first = await alice.createRoom();
      const second = await alice.createRoom({ preset: "public_chat", name: "Second" });
      const word = `gnu${Date.now()}`;
      const before = await alice.say(first, "before");
      const one = await alice.say(first, `${word} one`);
      const after = await alice.say(first, "after");
      const two = await alice.say(second, `${word} two`);
      const three = await alice.say(second, `${word} three`);
      const asked = {
        search_term: word,
        order_by: "recent",
        filter: { limit: 2 },
        groupings: { group_by: [{ key: "room_id" }, { key: "sender" }] },
        event_context: { before_limit: 1, after_limit: 1, include_profile: true },
        include_state: true,
      };
      const page = await find(alice, asked);
      equal(ids(page), [three, two], "the newest two");
      equal(page.groups.room_id[second].results, [three, two], "of one room");
      equal(page.groups.sender[alice.userId].results, [three, two], "and one sender");
      const types = page.state[second].map((/** @type {any} */ e) => e.type);
      ok(types.includes("m.room.name"), "with its state");
      const rest = await find(alice, asked, { next_batch: page.next_batch });
      equal(ids(rest), [one], "the rest");
      equal(rest.next_batch, undefined, "is the end");
      const [{ context }] = rest.results;
      equal(context.events_before[0].event_id, before, "what came before");
      equal(context.events_after[0].event_id, after, "and after");
      ok(alice.userId in context.profile_info, "and who spoke");
      const only = { ...asked, filter: { rooms: [first] } };
      equal(ids(await find(alice, only)), [one], "in one room");
      const bad = await alice.call("POST", "/search", {
        body: { search_categories: { room_events: asked } },
        query: { next_batch: "nonsense" },
      });
      refused(bad, 400, "M_INVALID_PARAM", "no token");
    },
  },
];
