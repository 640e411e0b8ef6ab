/** Who is let in by flags of the program: guests, and those who know the shared secret. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";

import { refused } from "./check.mjs";
import { User, enc, fresh } from "./matrix.mjs";
import { runNeurite, scratch, startNeurite } from "./servers.mjs";

const ADMIN = "/_synapse/admin/v1/register";

test("who knows the shared secret registers, also administrators, once a nonce", async () => {
  const dir = await scratch();
  const file = path.join(dir, "secret");
  await writeFile(file, "a shared secret");
  const server = await startNeurite(path.join(dir, "d"), ["--registration-secret-file", file]);
  const { nonce } = await server.must("GET", ADMIN);
  const username = fresh("Admin");
  const password = "some password";
  const mac = createHmac("sha1", "a shared secret")
    .update([nonce, username, password, "admin"].join("\0"))
    .digest("hex");
  const body = { nonce, username, password, admin: true, mac };
  const forged = { ...body, mac: mac.replace(/^./, (c) => (c === "0" ? "1" : "0")) };
  refused(await server.call("POST", ADMIN, { body: forged }), 403, "M_FORBIDDEN", "a wrong mac");
  const plain = { ...body, admin: false };
  refused(await server.call("POST", ADMIN, { body: plain }), 403, "M_FORBIDDEN", "another role");
  const admin = new User(server, await server.must("POST", ADMIN, { body }));
  assert.ok(admin.userId.startsWith(`@${username.toLowerCase()}:`));
  refused(await server.call("POST", ADMIN, { body }), 400, "M_UNKNOWN", "a nonce is used once");
  const bob = await server.register(fresh("bob"));
  const seen = await admin.must("GET", `/admin/whois/${enc(bob.userId)}`);
  assert.equal(seen.devices[bob.deviceId].sessions[0].connections[0].ip, "127.0.0.1");
  await server.stop();
});

test("without the flags there are neither guests nor a secret", async () => {
  const server = await startNeurite(await scratch());
  const query = { kind: "guest" };
  const guest = await server.call("POST", "/register", { query, body: {} });
  refused(guest, 403, "M_GUEST_ACCESS_FORBIDDEN", "guests");
  refused(await server.call("GET", ADMIN), 400, "M_UNKNOWN", "the secret");
  await server.stop();
});

test("a guest takes part where guests may, and does nothing else", async () => {
  const server = await startNeurite(await scratch(), ["--allow-guests"]);
  const query = { kind: "guest" };
  const guest = new User(server, await server.must("POST", "/register", { query, body: {} }));
  assert.equal((await guest.must("GET", "/account/whoami")).is_guest, true);
  const alice = await server.register(fresh("alice"));
  const open = await alice.createRoom({
    preset: "public_chat",
    initial_state: [
      { type: "m.room.guest_access", state_key: "", content: { guest_access: "can_join" } },
    ],
  });
  const closed = await alice.createRoom();
  await guest.join(open);
  await guest.see(open, await guest.say(open, "hello"));
  const refusal = [403, "M_GUEST_ACCESS_FORBIDDEN"];
  for (const [method, at] of [
    ["POST", `/join/${enc(closed)}`],
    ["POST", `/join/${enc("!somewhere:else.example")}`],
    ["POST", `/join/${enc("#somewhere:else.example")}`],
    ["POST", "/createRoom"],
    ["POST", `/rooms/${enc(open)}/invite`],
    ["POST", "/account/password"],
    ["PUT", `/rooms/${enc(open)}/state/m.room.name`],
  ]) {
    const answer = await guest.call(method, at, { body: { user_id: alice.userId } });
    assert.deepEqual([answer.status, answer.body.errcode], refusal, at);
  }
  const globally = await guest.call("GET", "/events");
  refused(globally, 403, "M_GUEST_ACCESS_FORBIDDEN", "the stream of all rooms");
  await alice.must("PUT", `/rooms/${enc(open)}/state/m.room.guest_access`, {
    body: { guest_access: "forbidden" },
  });
  await guest.until(() => guest.rooms.get(open) === "leave", "guests leave when they may not stay");
  await server.stop();
});

test("a guest becomes a registered user under the same name, and nobody else does", async () => {
  const server = await startNeurite(await scratch(), ["--allow-guests"]);
  const query = { kind: "guest" };
  const enter = () => server.must("POST", "/register", { query, body: {} });
  const [guest, other] = [await enter(), await enter()];
  const username = guest.user_id.slice(1).split(":")[0];
  const auth = { type: "m.login.dummy" };
  const body = { username, password: "a password", auth };
  /** @param {string} token */
  const register = (token) =>
    server.call("POST", "/register", { body: { ...body, guest_access_token: token } });
  refused(await register(other.access_token), 403, "M_FORBIDDEN", "with another guest's token");
  const answer = await register(guest.access_token);
  assert.deepEqual([answer.status, answer.body.user_id], [200, guest.user_id]);
  const user = new User(server, answer.body);
  await user.createRoom();
  refused(await register(user.token), 403, "M_FORBIDDEN", "once");
  assert.equal((await server.login(username, "a password")).status, 200);
  await server.stop();
});

test("a head that leaves no room for the client's address is refused", async () => {
  const server = await startNeurite(await scratch());
  const { hostname, port } = new URL(server.base);
  const start = "GET /_matrix/client/versions HTTP/1.1\r\nneurite-address: 192.0.2.1\r\npad: ";
  const end = "\r\nconnection: close\r\n\r\n";
  /** @param {number} size @returns {Promise<string>} */
  const ask = async (size) => {
    const socket = net.connect(Number(port), hostname);
    socket.setEncoding("utf8");
    let answer = "";
    socket.on("data", (text) => {
      answer += text;
    });
    socket.write(start + "x".repeat(size - start.length - end.length) + end);
    await once(socket, "close");
    return answer;
  };
  assert.match(await ask(32 * 1024 - 200), /^HTTP\/1.1 200 /);
  assert.match(await ask(32 * 1024 - 8), /^HTTP\/1.1 431 .*M_TOO_LARGE/s);
  await server.stop();
});

/** @param {string} data @param {...string} words */
async function order(data, ...words) {
  const { code, output } = await runNeurite(["admin", "--data", data, ...words]);
  return { code, lines: output.trimEnd().split("\n") };
}

test("an administrator makes users, gives them passwords and ends them, on the command line", async () => {
  const data = await scratch();
  assert.equal((await order(data, "users")).code, 1, "nobody runs there");
  const server = await startNeurite(data);
  const made = await order(data, "create-user", "Alice", "admin");
  assert.equal(made.code, 0, made.lines.join());
  const [id, secret] = made.lines;
  assert.ok(id.startsWith("@alice:"));
  const password = secret.replace("password ", "");
  const login = await server.login("alice", password);
  assert.equal(login.status, 200);
  const again = await order(data, "create-user", "alice");
  assert.deepEqual([again.code, /taken/.test(again.lines[0])], [1, true]);
  const bob = await server.register("bob", "bob's own");
  assert.deepEqual((await order(data, "users")).lines, [`${id} admin`, bob.userId]);
  assert.deepEqual((await order(data, "users", id)).lines, [bob.userId]);
  assert.equal((await order(data, "set-admin", "alice", "no")).code, 0);
  const reset = await order(data, "reset-password", bob.userId);
  refused(await bob.call("GET", "/account/whoami"), 401, "M_UNKNOWN_TOKEN", "logged out");
  refused(await server.login("bob", "bob's own"), 403, "M_FORBIDDEN", "the old password");
  const anew = reset.lines[1].replace("password ", "");
  assert.equal((await server.login("bob", anew)).status, 200);
  assert.equal((await order(data, "deactivate", "bob", "erase")).code, 0);
  refused(await server.login("bob", anew), 403, "M_FORBIDDEN", "a deactivated one");
  assert.deepEqual((await order(data, "users")).lines, [id, `${bob.userId} deactivated`]);
  for (const words of [["deactivate", "bob"], ["reset-password", "carol"], ["dance"]]) {
    assert.equal((await order(data, ...words)).code, 1, words.join(" "));
  }
  assert.ok((await order(data, "help")).lines.some((line) => line.startsWith("make-token")));
  await server.stop();
});

test("where registration wants a token, each is good for so many", async () => {
  const data = await scratch();
  const server = await startNeurite(data, ["--registration-tokens"]);
  const validity = "/_matrix/client/v1/register/m.login.registration_token/validity";
  const token = (await order(data, "make-token", "1", "7")).lines[0];
  const query = { token };
  assert.deepEqual(await server.must("GET", validity, { query }), { valid: true });
  const type = "m.login.registration_token";
  /** @param {object} auth @param {string} username */
  const register = (auth, username) =>
    server.call("POST", "/register", { body: { username, password: "secret", auth } });
  const dummy = await register({ type: "m.login.dummy" }, "alice");
  assert.deepEqual([dummy.status, dummy.body.flows], [401, [{ stages: [type] }]]);
  const { session } = dummy.body;
  const wrong = await register({ type, session, token: "wrong" }, "alice");
  refused(wrong, 401, "M_FORBIDDEN", "a token that is none");
  assert.equal((await register({ type, session, token }, "alice")).status, 200);
  assert.deepEqual((await order(data, "tokens")).lines, [`${token} used 1 of 1, 7 days left`]);
  assert.deepEqual(await server.must("GET", validity, { query }), { valid: false });
  refused(await register({ type, token }, "bob"), 401, "M_FORBIDDEN", "it is used up");
  assert.equal((await order(data, "revoke-token", token)).code, 0);
  assert.equal((await order(data, "revoke-token", token)).code, 1);
  assert.deepEqual((await order(data, "make-token", "none")).code, 1);
  await server.stop();
});
