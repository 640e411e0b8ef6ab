/** Devices, their keys and messages; push rules, tags, and looking for people. */
import { equal, ok, refused } from "../check.mjs";
import { enc, fresh } from "../matrix.mjs";

/** @typedef {import("../matrix.mjs").User} User */

/** @param {User} user */
const identityKeys = (user) => ({
  user_id: user.userId,
  device_id: user.deviceId,
  algorithms: ["m.olm.v1.curve25519-aes-sha2"],
  keys: { [`ed25519:${user.deviceId}`]: "key" },
  signatures: {},
});

/** @type {import("./index.mjs").Conversation[]} */
export const devices = [
  {
    name: "keys are uploaded, asked for, and claimed once each",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const bob = await server.register(fresh("bob"));
      await alice.sync();
      const answer = await alice.must("POST", "/keys/upload", {
        body: {
          device_keys: identityKeys(alice),
          one_time_keys: {
            "signed_curve25519:A": { key: "1", signatures: {} },
            "signed_curve25519:B": { key: "2", signatures: {} },
          },
          fallback_keys: { "signed_curve25519:F": { key: "f", fallback: true, signatures: {} } },
        },
      });
      equal(answer.one_time_key_counts, { signed_curve25519: 2 }, "two are kept");
      const clash = { one_time_keys: { "signed_curve25519:A": { key: "other" } } };
      const refusal = await alice.call("POST", "/keys/upload", { body: clash });
      refused(refusal, 400, "M_INVALID_PARAM", "a key is never replaced");
      const told = await alice.sync();
      equal(told.device_one_time_keys_count, { signed_curve25519: 2 }, "the device is told");
      equal(
        told.device_unused_fallback_key_types,
        ["signed_curve25519"],
        "of the fallback as well",
      );
      const query = { device_keys: { [alice.userId]: [], "@nobody:nowhere.invalid": [] } };
      const found = await bob.must("POST", "/keys/query", { body: query });
      const keys = found.device_keys[alice.userId][alice.deviceId];
      equal(keys.keys, identityKeys(alice).keys, "bob finds the device");
      ok("nowhere.invalid" in found.failures, "a server that is not there is named");
      const claim = {
        one_time_keys: { [alice.userId]: { [alice.deviceId]: "signed_curve25519" } },
      };
      const got = [];
      for (let i = 0; i < 4; i += 1) {
        const { one_time_keys } = await bob.must("POST", "/keys/claim", { body: claim });
        got.push(Object.keys(one_time_keys[alice.userId][alice.deviceId])[0].split(":")[1]);
      }
      equal(got, ["A", "B", "F", "F"], "each once, then the fallback");
      equal((await alice.sync()).device_unused_fallback_key_types, [], "which is used now");
    },
  },
  {
    name: "a device keeps only so many keys, and no large ones",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const upload = (/** @type {any} */ body) => alice.call("POST", "/keys/upload", { body });
      const key = { key: "x".repeat(20_000), signatures: {} };
      for (const member of ["one_time_keys", "fallback_keys"]) {
        const large = await upload({ [member]: { "signed_curve25519:A": key } });
        refused(large, 413, "M_TOO_LARGE", member);
      }
      const small = { key: "x", fallback: true, signatures: {} };
      const named = (/** @type {number} */ i) => [`algorithm${i}:A`, small];
      const some = (/** @type {number} */ from, /** @type {number} */ n) => ({
        fallback_keys: Object.fromEntries([...Array(n).keys()].map((i) => named(from + i))),
      });
      equal((await upload(some(0, 16))).status, 200, "sixteen");
      equal((await upload(some(0, 16))).status, 200, "the same again");
      refused(await upload(some(16, 1)), 400, "M_LIMIT_EXCEEDED", "and no more");
      equal((await alice.sync()).device_unused_fallback_key_types.length, 16, "are kept");
    },
  },
  {
    name: "changed devices are told to those who share a room",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const name = fresh("bob");
      const bob = await server.register(name, "the password");
      const room = await alice.createRoom();
      await alice.sync();
      await bob.join(room);
      ok((await alice.sync()).device_lists.changed.includes(bob.userId), "by coming");
      const from = alice.since ?? "";
      await bob.must("POST", "/keys/upload", { body: { device_keys: identityKeys(bob) } });
      ok((await alice.sync()).device_lists.changed.includes(bob.userId), "by new keys");
      const query = { from, to: alice.since ?? "" };
      const { changed } = await alice.must("GET", "/keys/changes", { query });
      equal(changed, [bob.userId], "between two tokens");
      await server.login(name, "the password");
      ok((await alice.sync()).device_lists.changed.includes(bob.userId), "by another login");
      await bob.must("POST", `/rooms/${enc(room)}/leave`, { body: {} });
      ok((await alice.sync()).device_lists.left.includes(bob.userId), "and by leaving");
    },
  },
  {
    name: "many messages for a device arrive in order, once each",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const bob = await server.register(fresh("bob"));
      await bob.sync();
      for (let i = 0; i < 120; i += 1) {
        const body = { messages: { [bob.userId]: { [bob.deviceId]: { i } } } };
        await alice.must("PUT", `/sendToDevice/m.count/t${i}`, { body });
      }
      const since = bob.since ?? "";
      const again = await bob.must("GET", "/sync", { query: { since } });
      const first = await bob.sync();
      equal(again.to_device.events, first.to_device.events, "the same token tells the same");
      const position = (/** @type {string} */ token) => Number(token.slice(1).split("_")[0]);
      const step = position(first.next_batch) - position(again.next_batch);
      equal(step, 1, "what finds no place is not written anew");
      await bob.sync();
      const numbers = bob.toDevice.map((e) => e.content.i);
      equal(numbers, [...Array(120).keys()], "all, in order");
      equal((await bob.sync()).to_device, undefined, "and no more");
    },
  },
  {
    name: "who floods a device pushes out what he sent himself, the oldest first",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const bob = await server.register(fresh("bob"));
      const mallory = await server.register(fresh("mallory"));
      await bob.sync();
      const send = (/** @type {any} */ who, /** @type {number} */ i, filler = "") => {
        const body = { messages: { [bob.userId]: { [bob.deviceId]: { i, filler } } } };
        return who.must("PUT", `/sendToDevice/m.flood/t${i}`, { body });
      };
      const filler = "x".repeat(1_000_000);
      await send(alice, -1);
      for (let i = 0; i < 36; i += 1) {
        await send(mallory, i, filler);
      }
      await send(alice, -2);
      while ((await bob.sync()).to_device) {
        // until it has them all
      }
      const numbers = bob.toDevice.map((e) => e.content.i);
      equal(numbers, [-1, ...[...Array(36).keys()].slice(3), -2], "32 MiB are kept");
    },
  },
  {
    name: "a device is deleted by who knows the password",
    async run({ server }) {
      const name = fresh("alice");
      const alice = await server.register(name, "the password");
      const { body: second } = await server.login(name, "the password");
      const path = `/devices/${enc(second.device_id)}`;
      const asked = await alice.call("DELETE", path, { body: {} });
      equal([asked.status, asked.body.flows.length], [401, 1], "it asks for the password");
      const identifier = { type: "m.id.user", user: name };
      /** @param {string} password */
      const auth = (password) => ({
        body: {
          auth: { type: "m.login.password", identifier, password, session: asked.body.session },
        },
      });
      equal((await alice.call("DELETE", path, auth("wrong"))).status, 401, "the right one");
      await alice.must("DELETE", path, auth("the password"));
      const token = second.access_token;
      refused(
        await server.call("GET", "/account/whoami", { token }),
        401,
        "M_UNKNOWN_TOKEN",
        "its token is gone",
      );
      refused(await alice.call("GET", path), 404, "M_NOT_FOUND", "and the device");
    },
  },
  {
    name: "push rules are added, placed, switched and removed",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      await alice.sync();
      const base = "/pushrules/global/content";
      const rule = { actions: ["notify"], pattern: "cake" };
      await alice.must("PUT", `${base}/first`, { body: rule });
      await alice.must("PUT", `${base}/second`, { body: rule });
      await alice.must("PUT", `${base}/third`, { body: rule, query: { after: "second" } });
      const ids = async () =>
        (await alice.must("GET", "/pushrules/")).global.content
          .filter((/** @type {any} */ r) => !r.default)
          .map((/** @type {any} */ r) => r.rule_id);
      equal(await ids(), ["second", "third", "first"], "in their places");
      await alice.must("PUT", `${base}/first/enabled`, { body: { enabled: false } });
      equal((await alice.must("GET", `${base}/first`)).enabled, false, "switched off");
      equal((await alice.sync()).account_data.events[0].type, "m.push_rules", "clients hear of it");
      await alice.must("DELETE", `${base}/second`);
      equal(await ids(), ["third", "first"], "removed");
      const own = await alice.call("DELETE", `${base}/.m.rule.contains_user_name`);
      refused(own, 400, "M_INVALID_PARAM", "the server's rules stay");
      refused(await alice.call("GET", `${base}/none`), 404, "M_NOT_FOUND", "no such rule");
      const reserved = await alice.call("PUT", `${base}/.mine`, { body: rule });
      refused(reserved, 400, "M_INVALID_PARAM", "names with a dot are the server's");
    },
  },
  {
    name: "tags are a room's, and one's own",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const bob = await server.register(fresh("bob"));
      const room = await alice.createRoom();
      await alice.sync();
      const path = `/user/${enc(alice.userId)}/rooms/${enc(room)}/tags`;
      await alice.must("PUT", `${path}/m.favourite`, { body: { order: 1 } });
      const { account_data } = (await alice.sync()).rooms.join[room];
      equal(account_data.events[0].content, { tags: { "m.favourite": { order: 1 } } }, "synced");
      await alice.must("DELETE", `${path}/m.favourite`);
      equal(await alice.must("GET", path), { tags: {} }, "removed");
      refused(await bob.call("GET", path), 403, "M_FORBIDDEN", "others may not look");
    },
  },
  {
    name: "people are found by name in rooms that are open or shared, and nowhere else",
    async run({ server }) {
      const name = fresh("findable");
      const alice = await server.register(name);
      const bob = await server.register(fresh("bob"));
      const body = { search_term: name.toUpperCase() };
      const found = async () =>
        (await bob.must("POST", "/user_directory/search", { body })).results.map(
          (/** @type {any} */ r) => r.user_id,
        );
      const room = await alice.createRoom({ preset: "private_chat", invite: [bob.userId] });
      equal(await found(), [], "a closed room of hers");
      await bob.join(room);
      equal(await found(), [alice.userId], "a room of both, whatever the case");
      await bob.must("POST", `/rooms/${enc(room)}/leave`, { body: {} });
      equal(await found(), [], "he has left");
      const rules = `/rooms/${enc(room)}/state/m.room.join_rules`;
      await alice.must("PUT", rules, { body: { join_rule: "public" } });
      equal(await found(), [alice.userId], "anybody may come");
      await alice.must("PUT", rules, { body: { join_rule: "invite" } });
      equal(await found(), [], "nobody may any more");
      const visibility = `/rooms/${enc(room)}/state/m.room.history_visibility`;
      await alice.must("PUT", visibility, { body: { history_visibility: "world_readable" } });
      equal(await found(), [alice.userId], "anybody may read");
      const percent = await bob.must("POST", "/user_directory/search", {
        body: { search_term: "%" },
      });
      equal(percent.results, [], "a sign is a sign");
    },
  },
];
