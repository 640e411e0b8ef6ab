/** Backups of room keys, and keys that sign across devices. */
import assert from "node:assert/strict";

import { fresh } from "../../client/matrix.mjs";

const BACKUP = {
  algorithm: "m.megolm_backup.v1.curve25519-aes-sha2",
  auth_data: { public_key: "abcdefg", signatures: {} },
};
const KEY = {
  first_message_index: 1,
  forwarded_count: 0,
  is_verified: true,
  session_data: { ephemeral: "base64", ciphertext: "base64", mac: "base64" },
};
const SESSION = "a session";

/** @type {import("../areas.mjs").Case[]} */
export const backup = [
  {
    name: "a backup is made, described, changed and deleted",
    async run({ stage }) {
      const user = await stage.user("backup");
      await user.fails(404, "M_NOT_FOUND", "getRoomKeysVersionCurrent");
      const { version } = await user.ok("postRoomKeysVersion", {}, BACKUP);
      await stage.anyone.fails(401, "M_MISSING_TOKEN", "postRoomKeysVersion", {}, BACKUP);
      assert.equal((await user.ok("getRoomKeysVersionCurrent")).version, version);
      assert.equal((await user.ok("getRoomKeysVersion", { version })).count, 0);
      await user.ok("putRoomKeysVersion", { version }, { ...BACKUP, version });
      const none = { version: "987" };
      await user.fails(404, "M_NOT_FOUND", "getRoomKeysVersion", none);
      await user.fails(404, "M_NOT_FOUND", "putRoomKeysVersion", none, BACKUP);
      await user.fails(404, "M_NOT_FOUND", "deleteRoomKeysVersion", none);
      await user.ok("deleteRoomKeysVersion", { version });
      await user.fails(404, "M_NOT_FOUND", "getRoomKeysVersion", { version });
    },
  },
  {
    name: "keys are put, read and deleted one by one, by room and all",
    async run({ stage }) {
      const user = await stage.user("backup");
      const roomId = `!${fresh("kept")}:${user.serverName}`;
      const { version } = await user.ok("postRoomKeysVersion", {}, BACKUP);
      const sessions = { sessions: { [SESSION]: KEY } };
      const levels = [
        ["RoomKeyBySessionId", { roomId, sessionId: SESSION }, KEY],
        ["RoomKeysByRoomId", { roomId }, sessions],
        ["RoomKeys", {}, { rooms: { [roomId]: sessions } }],
      ];
      for (const [what, at, body] of /** @type {[string, any, any][]} */ (levels)) {
        const given = { ...at, version };
        const none = { ...at, version: "987" };
        assert.equal((await user.ok(`put${what}`, given, body)).count, 1);
        assert.deepEqual(await user.ok(`get${what}`, given), body);
        assert.equal((await user.ok(`delete${what}`, given)).count, 0);
        for (const act of ["get", "delete"]) {
          await user.fails(404, "M_NOT_FOUND", `${act}${what}`, none);
        }
      }
      const old = { roomId, sessionId: SESSION, version };
      const later = await user.ok("postRoomKeysVersion", {}, BACKUP);
      const refused = await user.fails(
        403,
        "M_WRONG_ROOM_KEYS_VERSION",
        "putRoomKeyBySessionId",
        old,
        KEY,
      );
      assert.equal(refused.current_version, later.version);
      await user.fails(
        403,
        "M_WRONG_ROOM_KEYS_VERSION",
        "putRoomKeysByRoomId",
        { roomId, version },
        sessions,
      );
      const all = { rooms: { [roomId]: sessions } };
      await user.fails(403, "M_WRONG_ROOM_KEYS_VERSION", "putRoomKeys", { version }, all);
    },
  },
];
