/** Devices, their keys, and messages from device to device. */
import assert from "node:assert/strict";

import { fresh } from "../../client/matrix.mjs";

/** @typedef {import("../actor.mjs").Actor} Actor */

const ALGORITHMS = ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"];

/** Keys of the right form; the server is no judge of their values. @param {Actor} user */
const keysOf = (user) => ({
  user_id: user.userId,
  device_id: user.deviceId,
  algorithms: ALGORITHMS,
  keys: {
    [`curve25519:${user.deviceId}`]: "3C5BFWi2Y8MaVvjM8M22DBmh24PmgR0nPvJOIArzgyI",
    [`ed25519:${user.deviceId}`]: "lEuiRJBit0IG6nUf5pUzWTUEsRVVe/HJkoKuEww9ULI",
  },
  signatures: { [user.userId]: { [`ed25519:${user.deviceId}`]: "dSO80A01XiigH3uBiDVx" } },
});

/** @param {Actor} user */
const oneTimeKey = (user) => ({
  key: "zKbLg+NrIjpnagy+pIY6uPL4ZwEG2v+8F9lmgsnlZzs",
  signatures: { [user.userId]: { [`ed25519:${user.deviceId}`]: "dSO80A01XiigH3uBiDVx" } },
});

/** @type {import("../areas.mjs").Case[]} */
export const devices = [
  {
    name: "devices are listed, named and taken away by who knows the password",
    async run({ anyone, stage }) {
      const password = "a device's secret";
      const user = await stage.user("owner", password);
      const { deviceId } = user;
      const { devices: list } = await user.ok("getDevices");
      assert.deepEqual([list.length, list[0].device_id], [1, deviceId]);
      await user.ok("updateDevice", { deviceId }, { display_name: "desk" });
      assert.equal((await user.ok("getDevice", { deviceId })).display_name, "desk");
      await user.fails(404, "M_NOT_FOUND", "getDevice", { deviceId: "NONE" });
      await user.fails(404, "M_NOT_FOUND", "updateDevice", { deviceId: "NONE" });
      await anyone.fails(401, "M_MISSING_TOKEN", "getDevices");
      const identifier = { type: "m.id.user", user: user.userId };
      const credentials = { type: "m.login.password", identifier, password };
      const second = await anyone.ok("login", {}, credentials);
      const third = await anyone.ok("login", {}, credentials);
      const asked = await user.call("deleteDevice", { deviceId: second.device_id });
      assert.equal(asked.status, 401);
      const auth = { ...credentials, session: asked.body.session };
      await user.ok("deleteDevice", { deviceId: second.device_id }, { auth });
      const several = { devices: [third.device_id] };
      assert.equal((await user.call("deleteDevices", {}, several)).status, 401);
      await user.ok("deleteDevices", {}, { ...several, auth });
      await stage.as(third).fails(401, "M_UNKNOWN_TOKEN", "getDevices");
    },
  },
  {
    name: "keys are uploaded, asked for and claimed",
    async run({ anyone, stage }) {
      const user = await stage.user("keyed");
      const friend = await stage.user("friend");
      const { userId, deviceId } = user;
      const roomId = await user.room();
      await friend.ok("joinRoomById", { roomId });
      const { next_batch: from } = await friend.ok("sync", { timeout: 0 });
      const uploaded = await user.ok(
        "uploadKeys",
        {},
        {
          device_keys: keysOf(user),
          one_time_keys: { "signed_curve25519:AAAAAQ": oneTimeKey(user) },
          fallback_keys: { "signed_curve25519:AAAAFB": { ...oneTimeKey(user), fallback: true } },
        },
      );
      assert.equal(uploaded.one_time_key_counts.signed_curve25519, 1);
      const query = { device_keys: { [userId]: [] }, timeout: 1000 };
      const known = await friend.ok("queryKeys", {}, query);
      assert.equal(known.device_keys[userId][deviceId].device_id, deviceId);
      const wanted = { one_time_keys: { [userId]: { [deviceId]: "signed_curve25519" } } };
      const claimed = await friend.ok("claimKeys", {}, wanted);
      assert.deepEqual(Object.keys(claimed.one_time_keys[userId][deviceId]), [
        "signed_curve25519:AAAAAQ",
      ]);
      const { next_batch: to } = await friend.ok("sync", { since: from, timeout: 0 });
      const { changed } = await friend.ok("getKeysChanges", { from, to });
      assert.ok(changed.includes(userId));
      for (const id of ["uploadKeys", "queryKeys", "claimKeys"]) {
        await anyone.fails(401, "M_MISSING_TOKEN", id);
      }
      await anyone.fails(401, "M_MISSING_TOKEN", "getKeysChanges", { from, to });
    },
  },
  {
    name: "a message goes to a device once",
    async run({ anyone, stage }) {
      const user = await stage.user("sender");
      const friend = await stage.user("receiver");
      const given = { eventType: "m.room_key_request", txnId: fresh("once") };
      const content = {
        action: "request_cancellation",
        requesting_device_id: user.deviceId,
        request_id: "1",
      };
      const body = { messages: { [friend.userId]: { "*": content } } };
      await user.ok("sendToDevice", given, body);
      await user.ok("sendToDevice", given, body);
      const seen = await friend.ok("sync", { timeout: 0 });
      assert.equal(seen.to_device.events.length, 1);
      assert.deepEqual(seen.to_device.events[0].content, content);
      await anyone.fails(401, "M_MISSING_TOKEN", "sendToDevice", given, body);
    },
  },
];
