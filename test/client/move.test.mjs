/** A homeserver leaves its directory, comes into another one, ends, or is deleted: the command line. */
import assert from "node:assert/strict";
import { copyFile, readFile, readdir, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { enc, fresh } from "./matrix.mjs";
import { runNeurite, scratch, startNeurite, startRelay } from "./servers.mjs";

/**
 * @param {number} code
 * @param {RegExp} says
 * @param {string[]} args
 */
async function command(code, says, ...args) {
  const ran = await runNeurite(args);
  assert.equal(ran.code, code, `${args.join(" ")}: ${ran.output}`);
  assert.match(ran.output, says);
}

test("an exported homeserver rests, and lives on where it is imported, with a new epoch", async () => {
  const dir = await scratch();
  const [here, there, file] = ["here", "there", "out.neurite"].map((name) => path.join(dir, name));
  const relay = await startRelay("ours");
  const a = await startNeurite(here, ["--relay", relay.url]);
  const b = await startNeurite(path.join(dir, "b"), ["--relay", relay.url]);
  const alice = await a.register(fresh("alice"));
  const bob = await b.register(fresh("bob"));
  const local = fresh("moving");
  const room = await alice.createRoom({ preset: "public_chat", room_alias_name: local });
  await bob.join(`#${local}:${a.name}`);
  await bob.see(room, await alice.say(room, "before"));
  await alice.sync();
  const since = alice.since ?? "";

  await command(1, /is in use by another neurite/, "export", "--data", here, "--file", file);
  await command(0, /has ended/, "stop", "--data", here);
  await a.program.ended;
  await command(1, /No neurite runs in/, "stop", "--data", here);
  const missed = await bob.say(room, "while it moves");
  await command(0, /does not run from/, "export", "--data", here, "--file", file);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await command(1, /is there already/, "export", "--data", here, "--file", file);
  await command(1, /exported and runs here no more/, "--listen", "127.0.0.1:0", "--data", here);

  await command(0, new RegExp(`${a.name} lives in`), "import", "--data", there, "--file", file);
  const moved = await startNeurite(there, ["--relay", relay.url]);
  assert.equal(moved.name, a.name);
  alice.server = moved;
  alice.since = undefined;
  await alice.see(room, missed);
  await bob.see(room, await alice.say(room, "after"));
  assert.deepEqual(bob.texts(room, alice.userId), ["before", "after"]);
  /* A token of the old epoch gets an initial sync, never silence. */
  const now = (await alice.sync()).next_batch;
  assert.notEqual(now.split("_")[1], since.split("_")[1]);
  const again = await alice.must("GET", "/sync", { query: { since, timeout: 0 } });
  const { state, timeline } = again.rooms.join[room];
  const types = [...state.events, ...timeline.events].map((e) => e.type);
  assert.ok(types.includes("m.room.create"), "the whole state");

  /* Back again: what rests makes room, and is kept beside. */
  await moved.stop();
  const back = path.join(dir, "back.neurite");
  await command(1, /export or reset that one first/, "import", "--data", there, "--file", file);
  await command(0, /does not run from/, "export", "--data", there, "--file", back);
  await command(0, /lives in/, "import", "--data", here, "--file", back);
  assert.ok((await readdir(here)).some((name) => name.startsWith("neurite.db.moved-")));
  const home = await startNeurite(here);
  alice.server = home;
  const { content } = await alice.must("GET", `/rooms/${enc(room)}/event/${enc(missed)}`);
  assert.equal(content.body, "while it moves");
  for (const server of [home, b]) {
    await server.stop();
  }
  await relay.stop();
});

test("what is not a whole export is refused with a sentence, and nothing changes", async () => {
  const dir = await scratch();
  const [here, there, file] = ["here", "there", "out.neurite"].map((name) => path.join(dir, name));
  const server = await startNeurite(here);
  const user = await server.register(fresh("whole"));
  const room = await user.createRoom();
  for (let i = 0; i < 50; i += 1) {
    await user.say(room, "x".repeat(5000));
  }
  await server.stop();
  const plain = path.join(dir, "plain");
  await copyFile(path.join(here, "neurite.db"), plain);
  await command(0, /does not run from/, "export", "--data", here, "--file", file);
  const cut = path.join(dir, "cut");
  await copyFile(file, cut);
  await truncate(cut, Math.floor((await stat(file)).size / 2));
  const text = path.join(dir, "text");
  await writeFile(text, "hello ".repeat(1000));
  const empty = path.join(dir, "empty");
  await writeFile(empty, "");
  for (const [name, says] of /** @type {[string, RegExp][]} */ ([
    [plain, /not an export/],
    [cut, /cannot import/],
    [text, /cannot import/],
    [empty, /not an export/],
    [path.join(dir, "nothing"), /Cannot read/],
  ])) {
    await command(1, says, "import", "--data", there, "--file", name);
    assert.deepEqual((await readdir(there)).sort(), ["admin-token", "lock"], name);
  }
  await command(1, /There is no homeserver/, "export", "--data", there, "--file", `${file}2`);
  await command(1, /There is no directory/, "export", "--data", `${dir}/no`, "--file", `${file}2`);
  await command(2, /--file is missing/, "export", "--data", there);

  /* The file did not arrive: it is exported once more, and is the same homeserver. */
  const second = path.join(dir, "second.neurite");
  await command(0, /does not run from/, "export", "--data", here, "--file", second);
  assert.deepEqual(await readFile(second), await readFile(file));
});

test("a reset wants to be confirmed, and makes another homeserver", async () => {
  const data = await scratch();
  const server = await startNeurite(data);
  await command(1, /in use/, "reset", "--data", data, "--confirm", "reset");
  await server.stop();
  await command(1, /--confirm reset/, "reset", "--data", data);
  await command(2, /wants the word reset/, "reset", "--data", data, "--confirm", "yes");
  const same = await startNeurite(data);
  assert.equal(same.name, server.name);
  await same.kill();
  await command(0, /is gone/, "reset", "--data", data, "--confirm", "reset");
  const other = await startNeurite(data);
  assert.notEqual(other.name, server.name);
  await other.stop();
});
