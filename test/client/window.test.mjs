/** The workshop window of the native server: /_neurite. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { test } from "node:test";
import { text } from "node:stream/consumers";

import { fresh } from "./matrix.mjs";
import { metrics } from "./metrics.mjs";
import { scratch, startNeurite, startRelay } from "./servers.mjs";

/**
 * A request whose every header is ours.
 * @param {string} base
 * @param {string} target
 * @param {{ method?: string, host?: string, token?: string }} [options]
 */
async function get(base, target, { method = "GET", host, token } = {}) {
  const headers = {
    host: host ?? new URL(base).host,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  /** @type {http.IncomingMessage} */
  const response = await new Promise((resolve, reject) => {
    http
      .request(base + target, { method, headers, agent: false }, resolve)
      .on("error", reject)
      .end();
  });
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** @param {string} data */
async function tokenOf(data) {
  return (await readFile(path.join(data, "admin-token"), "utf8")).trim();
}

test("the window's data wants the token, an own name for a host, and is not for other origins", async () => {
  const data = await scratch();
  const server = await startNeurite(data);
  const token = await tokenOf(data);
  const page = await get(server.base, "/_neurite/");
  assert.equal(page.status, 200);
  assert.match(page.headers["content-type"] ?? "", /^text\/html/);
  assert.ok(!page.body.includes(server.name), "the page itself tells nothing");
  for (const target of ["/_neurite/status", "/_neurite/metrics"]) {
    for (const wrong of [undefined, "", `${token}x`]) {
      assert.equal((await get(server.base, target, { token: wrong })).status, 401);
    }
    const port = new URL(server.base).port;
    for (const host of [`localhost:${port}`, "127.0.0.1", `[::1]:${port}`, server.name]) {
      const answer = await get(server.base, target, { token, host });
      assert.equal(answer.status, 200, `${host}: ${answer.body}`);
      assert.equal(answer.headers["access-control-allow-origin"], undefined);
    }
    for (const host of [`rebound.example:${port}`, "127.0.0.1.example"]) {
      const answer = await get(server.base, target, { token, host });
      assert.equal(answer.status, 403, `${host}: ${answer.body}`);
      assert.equal(answer.headers["access-control-allow-origin"], undefined);
    }
    const preflight = await get(server.base, target, { method: "OPTIONS" });
    assert.equal(preflight.headers["access-control-allow-origin"], undefined);
  }
  const move = await get(server.base, "/_neurite/move", { method: "POST", token });
  assert.equal(move.status, 403, "export is on the command line here");
  const other = await get(server.base, "/_matrix/client/versions");
  assert.equal(other.headers["access-control-allow-origin"], "*");
  await server.stop();
});

test("status and metrics tell of peers, outbox, database, commits and the log", async () => {
  const dir = await scratch();
  const relay = await startRelay("ours");
  const a = await startNeurite(path.join(dir, "a"), ["--relay", relay.url]);
  const b = await startNeurite(path.join(dir, "b"), ["--relay", relay.url]);
  const token = await tokenOf(path.join(dir, "a"));
  const alice = await a.register(fresh("alice"));
  const bob = await b.register(fresh("bob"));
  const local = fresh("window");
  const room = await alice.createRoom({ preset: "public_chat", room_alias_name: local });
  await bob.join(`#${local}:${a.name}`);
  await bob.see(room, await alice.say(room, "hello"));
  await b.stop();
  await alice.say(room, "nobody there");

  const status = JSON.parse((await get(a.base, "/_neurite/status", { token })).body);
  assert.equal(status.server_name, a.name);
  assert.equal(status.accounts, 1);
  assert.equal(status.relays[0].state, "joined");
  assert.equal(status.outbox[b.name], 1);
  assert.ok(status.host.commit.n > 0 && status.host.flushes >= status.host.commit.n);
  assert.ok(status.host.commit.p99_ms >= status.host.commit.p50_ms);
  const log = status.host.log.join("\n");
  assert.ok(log.includes(`peer ${b.name} is here`), log);
  assert.ok(status.host.log.length <= 500);

  const answer = await get(a.base, "/_neurite/metrics", { token });
  assert.equal(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  const found = metrics(answer.body);
  assert.equal(found.get(`neurite_build_info{build="${status.build}"}`), 1);
  assert.equal(found.get("neurite_accounts"), 1);
  assert.equal(found.get("neurite_read_only"), 0);
  assert.equal(found.get(`neurite_relay_up{url="${relay.url}"}`), 1);
  assert.equal(found.get(`neurite_outbox{destination="${b.name}"}`), 1);
  assert.ok((found.get("neurite_database_bytes") ?? 0) >= 4096);
  assert.ok((found.get("neurite_uptime_seconds") ?? 0) > 0);
  assert.ok((found.get("neurite_commits_total") ?? 0) >= status.host.flushes);
  assert.ok((found.get('neurite_commit_seconds{quantile="0.99"}') ?? 0) > 0);
  await a.stop();
  await relay.stop();
});
