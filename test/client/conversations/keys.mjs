/** Backups of room keys, and cross-signing. */
import { canonical, equal, ok, refused } from "../check.mjs";
import { fresh } from "../matrix.mjs";

/** @param {ArrayBuffer} bytes */
const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/=+$/, "");

/** A signing key: its public half in base64, and what signs an object for a user. */
async function signingKey() {
  const pair = /** @type {CryptoKeyPair} */ (
    await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])
  );
  const key = base64(await crypto.subtle.exportKey("raw", pair.publicKey));
  return {
    key,
    /**
     * @param {any} object
     * @param {string} userId
     * @param {string} [id] of the key
     */
    async sign(object, userId, id = key) {
      const { signatures, unsigned, ...rest } = object;
      const bytes = new TextEncoder().encode(canonical(rest));
      const made = base64(await crypto.subtle.sign("Ed25519", pair.privateKey, bytes));
      const own = { ...signatures?.[userId], [`ed25519:${id}`]: made };
      return { ...object, signatures: { ...signatures, [userId]: own } };
    },
  };
}

/**
 * @param {string} userId
 * @param {string} usage
 * @param {string} key
 */
const crossKey = (userId, usage, key) => ({
  user_id: userId,
  usage: [usage],
  keys: { [`ed25519:${key}`]: key },
});

/** @param {import("../matrix.mjs").User} user */
async function uploadCrossSigning(user) {
  const [master, self, other] = [await signingKey(), await signingKey(), await signingKey()];
  const { userId } = user;
  const body = {
    master_key: crossKey(userId, "master", master.key),
    self_signing_key: await master.sign(crossKey(userId, "self_signing", self.key), userId),
    user_signing_key: await master.sign(crossKey(userId, "user_signing", other.key), userId),
  };
  await user.must("POST", "/keys/device_signing/upload", { body });
  return { master, self, other, body };
}

const backup = {
  algorithm: "m.megolm_backup.v1.curve25519-aes-sha2",
  auth_data: { public_key: "abc" },
};

/** @param {Record<string, unknown>} [more] */
const sessionKey = (more) => ({
  first_message_index: 3,
  forwarded_count: 1,
  is_verified: false,
  session_data: { ciphertext: "x" },
  ...more,
});

/** @type {import("./index.mjs").Conversation[]} */
export const keys = [
  {
    name: "a backup is made, filled, read, and deleted",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const path = "/room_keys/version";
      refused(await alice.call("GET", path), 404, "M_NOT_FOUND", "there is none yet");
      const { version } = await alice.must("POST", path, { body: backup });
      const query = { version };
      const empty = await alice.must("GET", path);
      equal(empty, { ...backup, count: 0, etag: empty.etag, version }, "it is empty");
      equal(await alice.must("GET", "/room_keys/keys", { query }), { rooms: {} }, "no keys");

      const one = "/room_keys/keys/!r%3Ax/s1";
      const put = await alice.must("PUT", one, { query, body: sessionKey() });
      equal(put.count, 1, "one key");
      ok(put.etag !== empty.etag, "a change has another etag");
      const sessions = { s1: sessionKey({ first_message_index: 5 }), s2: sessionKey() };
      await alice.must("PUT", "/room_keys/keys/!r%3Ax", { query, body: { sessions } });
      const rooms = { "!q:x": { sessions: { s3: sessionKey() } } };
      await alice.must("PUT", "/room_keys/keys", { query, body: { rooms } });
      equal(await alice.must("GET", one, { query }), sessionKey(), "the better key stays");
      const better = sessionKey({ first_message_index: 9, is_verified: true });
      await alice.must("PUT", one, { query, body: better });
      equal(await alice.must("GET", one, { query }), better, "a verified one is better");
      const all = await alice.must("GET", "/room_keys/keys", { query });
      equal(Object.keys(all.rooms).sort(), ["!q:x", "!r:x"], "all rooms");
      const room = await alice.must("GET", "/room_keys/keys/!r%3Ax", { query });
      equal(Object.keys(room.sessions), ["s1", "s2"], "one room");

      equal((await alice.must("DELETE", one, { query })).count, 2, "one less");
      refused(await alice.call("GET", one, { query }), 404, "M_NOT_FOUND", "it is gone");
      await alice.must("DELETE", "/room_keys/keys/!r%3Ax", { query });
      equal((await alice.must("DELETE", "/room_keys/keys", { query })).count, 0, "none");
      await alice.must("DELETE", `${path}/${version}`);
      refused(await alice.call("GET", path), 404, "M_NOT_FOUND", "deleted");
      refused(
        await alice.call("GET", "/room_keys/keys", { query }),
        404,
        "M_NOT_FOUND",
        "with its keys",
      );
    },
  },
  {
    name: "only the newest backup is written to, and it keeps its algorithm",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const bob = await server.register(fresh("bob"));
      const path = "/room_keys/version";
      const { version: old } = await alice.must("POST", path, { body: backup });
      const { version } = await alice.must("POST", path, { body: backup });
      ok(old !== version, "versions differ");
      const body = sessionKey();
      const late = await alice.call("PUT", "/room_keys/keys/!r%3Ax/s", {
        query: { version: old },
        body,
      });
      refused(late, 403, "M_WRONG_ROOM_KEYS_VERSION", "an old version");
      equal(late.body.current_version, version, "which one it is now");
      const other = { algorithm: "m.other", auth_data: {} };
      refused(
        await alice.call("PUT", `${path}/${version}`, { body: other }),
        400,
        "M_INVALID_PARAM",
        "another algorithm",
      );
      const auth_data = { public_key: "new" };
      await alice.must("PUT", `${path}/${version}`, { body: { ...backup, auth_data } });
      equal((await alice.must("GET", `${path}/${version}`)).auth_data, auth_data, "new data");
      refused(await bob.call("GET", `${path}/${version}`), 404, "M_NOT_FOUND", "one's own alone");
      const bad = await alice.call("PUT", "/room_keys/keys/!r%3Ax/s", {
        query: { version },
        body: { session_data: {} },
      });
      refused(bad, 400, "M_BAD_JSON", "half a key");
      refused(
        await alice.call("GET", "/room_keys/keys"),
        400,
        "M_MISSING_PARAM",
        "a version must be named",
      );
    },
  },
  {
    name: "cross-signing keys are uploaded once freely, then with the password",
    async run({ server }) {
      const name = fresh("alice");
      const alice = await server.register(name, "the password");
      const bob = await server.register(fresh("bob"));
      const { userId } = alice;
      const lone = await signingKey();
      const first = await alice.call("POST", "/keys/device_signing/upload", {
        body: { self_signing_key: crossKey(userId, "self_signing", lone.key) },
      });
      refused(first, 400, "M_MISSING_PARAM", "a master key comes first");
      const { master, body } = await uploadCrossSigning(alice);
      await alice.must("POST", "/keys/device_signing/upload", { body });
      const forged = {
        self_signing_key: await lone.sign(
          crossKey(userId, "self_signing", lone.key),
          userId,
          master.key,
        ),
      };
      refused(
        await alice.call("POST", "/keys/device_signing/upload", { body: forged }),
        400,
        "M_INVALID_SIGNATURE",
        "a forged one",
      );
      const changed = { master_key: crossKey(userId, "master", lone.key) };
      const asked = await alice.call("POST", "/keys/device_signing/upload", { body: changed });
      equal(asked.status, 401, "another master key asks for the password");
      const auth = {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: name },
        password: "the password",
        session: asked.body.session,
      };
      const query = { body: { device_keys: { [userId]: [] } } };
      const seen = await bob.must("POST", "/keys/query", query);
      equal(seen.master_keys[userId].keys, body.master_key.keys, "others see the master key");
      ok(seen.self_signing_keys[userId], "and the self-signing key");
      equal(seen.user_signing_keys, undefined, "but not the user-signing key");
      const own = await alice.must("POST", "/keys/query", query);
      ok(own.user_signing_keys[userId], "which is one's own");
      await alice.must("POST", "/keys/device_signing/upload", { body: { ...changed, auth } });
      const anew = await bob.must("POST", "/keys/query", query);
      equal(anew.master_keys[userId].keys, changed.master_key.keys, "the new one");
    },
  },
  {
    name: "signatures are checked, kept, and shown to whom they concern",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const bob = await server.register(fresh("bob"));
      const carol = await server.register(fresh("carol"));
      const room = await alice.createRoom();
      await bob.join(room);
      const { self, other } = await uploadCrossSigning(alice);
      const { master: bobs } = await uploadCrossSigning(bob);
      const device = await signingKey();
      const device_keys = {
        user_id: alice.userId,
        device_id: alice.deviceId,
        algorithms: ["m.olm.v1.curve25519-aes-sha2"],
        keys: { [`ed25519:${alice.deviceId}`]: device.key },
        signatures: {},
      };
      await alice.must("POST", "/keys/upload", { body: { device_keys } });
      await bob.sync();

      const bobsMaster = crossKey(bob.userId, "master", bobs.key);
      const body = {
        [alice.userId]: { [alice.deviceId]: await self.sign(device_keys, alice.userId) },
        [bob.userId]: { [bobs.key]: await other.sign(bobsMaster, alice.userId) },
      };
      const done = await alice.must("POST", "/keys/signatures/upload", { body });
      equal(done.failures, {}, "both are taken");
      ok((await bob.sync()).device_lists.changed.includes(alice.userId), "a signed device is news");
      const query = { body: { device_keys: { [alice.userId]: [], [bob.userId]: [] } } };
      const forAlice = await alice.must("POST", "/keys/query", query);
      const forCarol = await carol.must("POST", "/keys/query", query);
      const signed = forCarol.device_keys[alice.userId][alice.deviceId].signatures[alice.userId];
      ok(signed[`ed25519:${self.key}`], "the device is signed for everybody");
      ok(
        forAlice.master_keys[bob.userId].signatures[alice.userId][`ed25519:${other.key}`],
        "the signer sees what she said of another",
      );
      equal(
        forCarol.master_keys[bob.userId].signatures?.[alice.userId],
        undefined,
        "and nobody else does",
      );

      const wrong = {
        [alice.userId]: { [alice.deviceId]: await other.sign(device_keys, alice.userId) },
        [bob.userId]: { nonsense: bobsMaster },
      };
      const { failures } = await alice.must("POST", "/keys/signatures/upload", { body: wrong });
      equal(
        failures[alice.userId][alice.deviceId].errcode,
        "M_INVALID_SIGNATURE",
        "not by the self-signing key",
      );
      equal(failures[bob.userId].nonsense.errcode, "M_NOT_FOUND", "an unknown key");
      refused(
        await alice.call("POST", "/keys/signatures/upload", { body: { x: { y: 1 } } }),
        400,
        "M_BAD_JSON",
        "no users",
      );
    },
  },
];
