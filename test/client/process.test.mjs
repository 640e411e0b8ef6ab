/** The program itself: its command line, its directory, its end. */
import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { fresh } from "./matrix.mjs";
import { runNeurite, scratch, startNeurite } from "./servers.mjs";

test("help fits a screen and version is one line", async () => {
  const help = await runNeurite(["--help"]);
  assert.equal(help.code, 0);
  assert.ok(help.output.split("\n").length <= 25);
  const version = await runNeurite(["--version"]);
  assert.equal(version.code, 0);
  assert.match(version.output, /^neurite \S+\n$/);
});

test("a wrong flag is a sentence and exit status 2", async () => {
  for (const args of [
    ["--bogus"],
    ["--listen", "127.0.0.1:0"],
    ["--listen", "here:0", "--data", "d"],
    ["--listen", "127.0.0.1:0", "--data", "d", "--server-name", "a.b", "--relay", "ws://a:1"],
  ]) {
    const { code, output } = await runNeurite(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(output, /^neurite: [^\n]+\.\n$/);
  }
});

test("the data directory is private and belongs to one process", async () => {
  const dir = await scratch();
  const data = path.join(dir, "new");
  const server = await startNeurite(data);
  assert.equal((await stat(data)).mode & 0o777, 0o700);
  assert.equal((await stat(path.join(data, "admin-token"))).mode & 0o777, 0o600);
  assert.equal((await stat(path.join(data, "neurite.db"))).mode & 0o077, 0);
  const second = await runNeurite(["--listen", "127.0.0.1:0", "--data", data]);
  assert.equal(second.code, 1);
  assert.match(second.output, /in use by another neurite/);
  await server.stop();
});

test("a taken port is a sentence and exit status 1", async () => {
  const dir = await scratch();
  const server = await startNeurite(path.join(dir, "a"));
  const { host } = new URL(server.base);
  const { code, output } = await runNeurite(["--listen", host, "--data", path.join(dir, "b")]);
  assert.equal(code, 1);
  assert.match(output, /cannot listen on .*: Address already in use/);
  await server.stop();
});

for (const signal of /** @type {const} */ (["SIGTERM", "SIGINT"])) {
  test(`${signal} ends it cleanly, also while a sync waits`, async () => {
    const dir = await scratch();
    const server = await startNeurite(dir);
    const user = await server.register(fresh("end"));
    await user.sync();
    const waiting = user.sync(25_000).catch(() => "cut off");
    await user.must("GET", "/account/whoami");
    const { code, signal: died } = await server.program.end(signal);
    assert.deepEqual([code, died], [0, null]);
    await waiting;
  });
}

test("a server that starts again is the same server", async () => {
  const dir = await scratch();
  const first = await startNeurite(dir);
  const user = await first.register(fresh("same"));
  const room = await user.createRoom({ preset: "public_chat", name: "kept" });
  await user.sync();
  const token = await readFile(path.join(dir, "admin-token"), "utf8");
  await first.stop();
  const second = await startNeurite(dir);
  assert.equal(second.name, first.name);
  assert.equal(await readFile(path.join(dir, "admin-token"), "utf8"), token);
  user.server = second;
  const body = await user.sync();
  assert.deepEqual(body.rooms?.join ?? {}, {}, "the sync token goes on where it was");
  assert.deepEqual((await user.must("GET", "/joined_rooms")).joined_rooms, [room]);
  await second.stop();
});
