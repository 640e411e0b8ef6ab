/** Native homeservers that federate over HTTPS, under a certificate authority of this test's own. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import https from "node:https";
import net from "node:net";
import { before, describe, test } from "node:test";

import { Authority } from "./authority.mjs";
import { enc, fresh } from "./matrix.mjs";
import { freePort } from "./program.mjs";
import { scratch, startNeurite } from "./servers.mjs";

/**
 * A server, and how it is started again.
 * @param {Authority} authority
 * @param {string} who
 * @param {string} host as others call it
 * @param {string} of what its certificate is for
 * @param {string[]} [more]
 */
async function federated(authority, who, host, of, more = ["--federation-allow-loopback"]) {
  const port = await freePort();
  const name = `${host}:${port}`;
  const files = await authority.certify(who, of);
  const args = ["--server-name", name, "--federation-listen", `127.0.0.1:${port}`, ...files];
  const data = await scratch();
  const all = [...args, "--federation-ca", authority.certificate, ...more];
  const start = () => startNeurite(data, all);
  return { name, port, start, server: await start() };
}

/**
 * There is a room for alice, but her server does not go there.
 * @param {import("./matrix.mjs").User} alice
 * @param {{ name: string, server: import("./servers.mjs").Neurite }} other
 */
async function refusesToCall(alice, other) {
  const bob = await other.server.register(fresh("bob"));
  const local = fresh("room");
  await bob.createRoom({ preset: "public_chat", room_alias_name: local });
  const target = `/join/${enc(`#${local}:${other.name}`)}`;
  assert.equal((await alice.call("POST", target, { body: {} })).status, 404);
}

describe("over HTTPS", { timeout: 120_000 }, () => {
  /** @type {Authority} */
  let authority;

  before(async () => {
    authority = new Authority(await scratch());
    await authority.make();
  });

  test("two servers share a room, also after one was away", async () => {
    const here = await federated(authority, "here", "localhost", "DNS:localhost");
    const there = await federated(authority, "there", "127.0.0.1", "IP:127.0.0.1");
    const alice = await here.server.register(fresh("alice"));
    const bob = await there.server.register(fresh("bob"));
    const local = fresh("room");
    const room = await alice.createRoom({ preset: "public_chat", room_alias_name: local });
    assert.equal(await bob.join(`#${local}:${here.name}`), room);
    await alice.say(room, "from here");
    await bob.until(() => bob.texts(room, alice.userId).includes("from here"), "from here");
    await bob.say(room, "from there");
    await alice.until(() => alice.texts(room, bob.userId).includes("from there"), "from there");
    await there.server.stop();
    await alice.say(room, "while you were away");
    there.server = await there.start();
    bob.server = there.server;
    await bob.until(
      () => bob.texts(room, alice.userId).includes("while you were away"),
      "while you were away",
    );
    await Promise.all([here.server.stop(), there.server.stop()]);
  });

  test("a certificate for another name, or of another authority, is not believed", async () => {
    const foreign = new Authority(await scratch());
    await foreign.make();
    const here = await federated(authority, "asks", "localhost", "DNS:localhost");
    const misnamed = await federated(authority, "misnamed", "localhost", "DNS:example.org");
    const strange = await federated(foreign, "strange", "localhost", "DNS:localhost");
    const alice = await here.server.register(fresh("alice"));
    for (const other of [misnamed, strange]) {
      await refusesToCall(alice, other);
    }
    await Promise.all([here, misnamed, strange].map(({ server }) => server.stop()));
  });

  test("private addresses are not called, unless a test network says so", async () => {
    const here = await federated(authority, "careful", "localhost", "DNS:localhost", []);
    const there = await federated(authority, "callee", "localhost", "DNS:localhost");
    const alice = await here.server.register(fresh("alice"));
    await refusesToCall(alice, there);
    await Promise.all([here.server.stop(), there.server.stop()]);
  });

  test("servers that hold connections open take no places of clients, nor all of servers'", async () => {
    const here = await federated(authority, "crowded", "localhost", "DNS:localhost");
    /** @type {net.Socket[]} */
    const sockets = [];
    /** Connects so often from that address; resolves when so many were closed again. */
    const connect = (
      /** @type {string} */ localAddress,
      /** @type {number} */ often,
      /** @type {number} */ refused,
    ) =>
      new Promise((resolve) => {
        let closed = 0;
        for (let i = 0; i < often; i++) {
          const socket = net.connect({ host: "127.0.0.1", port: here.port, localAddress });
          sockets.push(socket.on("error", () => {}));
          socket.on("close", () => ++closed === refused && resolve(undefined));
        }
      });
    await connect("127.0.0.2", 40, 8); // 32 of one address,
    await connect("127.0.0.1", 490, 10); // 512 in all
    await here.server.register(fresh("alice"));
    sockets.forEach((socket) => socket.destroy());
    await here.server.stop();
  });

  test("other servers find the server-server API there and nothing else", async () => {
    const here = await federated(authority, "alone", "localhost", "DNS:localhost");
    const ca = await readFile(authority.certificate);
    const get = (/** @type {string} */ target) =>
      new Promise((resolve, reject) => {
        https
          .get({ host: "localhost", port: here.port, path: target, ca, agent: false }, (answer) => {
            let text = "";
            answer.on("data", (part) => (text += part));
            answer.on("end", () => resolve({ status: answer.statusCode, body: JSON.parse(text) }));
          })
          .on("error", reject);
      });
    const keys = await get("/_matrix/key/v2/server");
    assert.equal(keys.body.server_name, here.name);
    assert.equal((await get("/_matrix/federation/v1/version")).body.server.name, "Neurite");
    const unsigned = await get("/_matrix/federation/v1/query/profile?user_id=%40a%3Ab");
    assert.equal(unsigned.status, 401);
    assert.equal((await get("/_matrix/client/versions")).status, 404);
    assert.equal((await get("/_neurite/")).status, 404);
    await here.server.stop();
  });
});
