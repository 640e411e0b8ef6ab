/** The disk is full, for real: a small file system of the test's own, in a mount namespace. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { enc, fresh } from "./matrix.mjs";
import { scratch, smallDisk, startNeurite } from "./servers.mjs";

const DISK = 8 * 1024 * 1024;
const MESSAGE = "x".repeat(8000);
const MESSAGES_MAX = 2 * (DISK / MESSAGE.length);
const ROOM_AGAIN_MS = 30_000;
const mounts = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "neurite", tmpdir()]);
const skip = mounts.status === 0 ? false : "mounting a file system of one's own wants root";

/**
 * Fills what is free of a file system.
 * @param {string} file
 */
async function ballast(file) {
  const handle = await open(file, "w");
  try {
    for (let size = 65_536; size >= 1;) {
      try {
        await handle.write(Buffer.alloc(size, 1));
      } catch (error) {
        assert.equal(/** @type {NodeJS.ErrnoException} */ (error).code, "ENOSPC");
        size = Math.floor(size / 2);
      }
    }
  } finally {
    await handle.close();
  }
}

/**
 * Sends until an answer is not 200, and gives that one.
 * @param {import("./matrix.mjs").User} user
 * @param {string} room
 * @param {Map<string, string>} acknowledged transaction to event id
 */
async function sendUntilRefused(user, room, acknowledged) {
  for (let i = 0; i < MESSAGES_MAX; i += 1) {
    const txn = `full${acknowledged.size}`;
    const content = { msgtype: "m.text", body: `${txn} ${MESSAGE}` };
    const answer = await user.call("PUT", `/rooms/${enc(room)}/send/m.room.message/${txn}`, {
      body: content,
    });
    if (answer.status !== 200) {
      return answer;
    }
    acknowledged.set(txn, answer.body.event_id);
  }
  throw new Error("the disk never became full");
}

/**
 * @param {import("./matrix.mjs").User} user
 * @param {string} room
 * @param {Map<string, string>} acknowledged
 */
async function allThere(user, room, acknowledged) {
  for (const [txn, id] of acknowledged) {
    const event = await user.must("GET", `/rooms/${enc(room)}/event/${enc(id)}`);
    assert.ok(event.content.body.startsWith(`${txn} `), `${txn} was acknowledged`);
  }
}

/** @typedef {Awaited<ReturnType<typeof smallDisk>>} Disk */
/**
 * What fills it besides the homeserver, and how room is made again.
 * @type {[name: string, fill: (disk: Disk) => Promise<unknown>, free: (disk: Disk) => Promise<unknown>][]}
 */
const ways = [
  ["by messages", async () => {}, (disk) => disk.resize(4 * DISK)],
  [
    "by something else, to the last byte",
    (disk) => ballast(path.join(disk.seen, "other")),
    (disk) => rm(path.join(disk.seen, "other")),
  ],
];

for (const [name, fill, free] of ways) {
  const title = `a disk full ${name}: writes are refused, reads go on, nothing acknowledged is lost`;
  test(title, { skip }, async () => {
    const dir = await scratch();
    const disk = await smallDisk(dir, DISK);
    const data = path.join(dir, "data");
    const server = await startNeurite(data, [], disk.through);
    const user = await server.register(fresh("full"));
    const room = await user.createRoom();
    await user.sync();
    /** @type {Map<string, string>} */
    const acknowledged = new Map();
    await fill(disk);

    const refused = await sendUntilRefused(user, room, acknowledged);
    assert.equal(refused.status, 403, JSON.stringify(refused.body));
    assert.equal(refused.body.errcode, "M_RESOURCE_LIMIT_EXCEEDED");
    assert.equal(typeof refused.body.admin_contact, "string");
    assert.equal(typeof refused.body.limit_type, "string");

    await allThere(user, room, acknowledged);
    await user.must("GET", "/sync", { query: { timeout: 0 } });
    const again = await user.call("POST", "/createRoom", { body: {} });
    assert.deepEqual([again.status, again.body.errcode], [403, "M_RESOURCE_LIMIT_EXCEEDED"]);

    await free(disk);
    const end = Date.now() + ROOM_AGAIN_MS;
    while (!acknowledged.has("after")) {
      const answer = await user.call("PUT", `/rooms/${enc(room)}/send/m.room.message/after`, {
        body: { msgtype: "m.text", body: "after " },
      });
      if (answer.status === 200) {
        acknowledged.set("after", answer.body.event_id);
      } else {
        // 503: the one whose flush met the last full moment is asked to come again.
        assert.ok([403, 503].includes(answer.status), JSON.stringify(answer.body));
        assert.ok(Date.now() < end, "writes come back when there is room");
        await pause(100);
      }
    }
    await allThere(user, room, acknowledged);

    await server.kill();
    user.server = await startNeurite(data, [], disk.through);
    await allThere(user, room, acknowledged);
  });
}
