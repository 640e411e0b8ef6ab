/** Tokens that end, logins by token, the end of an account, pushers, addresses. */
import { equal, ok, refused } from "../check.mjs";
import { User, enc, fresh } from "../matrix.mjs";

/**
 * The password stage of somebody's request.
 * @param {string} user
 * @param {string} password
 */
const auth = (user, password) => ({
  type: "m.login.password",
  identifier: { type: "m.id.user", user },
  password,
});

/** @type {import("./index.mjs").Conversation[]} */
export const sessions = [
  {
    name: "a session that can refresh gets another access token",
    async run({ server }) {
      const name = fresh("alice");
      await server.register(name, "pass");
      const session = await server.must("POST", "/login", {
        body: { ...auth(name, "pass"), refresh_token: true },
      });
      ok(session.expires_in_ms > 0, "it says when the token ends");
      const body = { refresh_token: session.refresh_token };
      const next = await server.must("POST", "/refresh", { body });
      ok(next.access_token !== session.access_token, "another access token");
      const user = new User(server, { ...session, ...next });
      equal((await user.must("GET", "/account/whoami")).device_id, session.device_id, "the device");
      const again = await server.must("POST", "/refresh", { body });
      ok(again.access_token, "an answer that was lost can be asked for again");
      const used = { refresh_token: again.refresh_token };
      await server.must("POST", "/refresh", { body: used });
      refused(
        await server.call("POST", "/refresh", { body }),
        401,
        "M_UNKNOWN_TOKEN",
        "one whose successor was used is over",
      );
      const { refresh_token: last } = await server.must("POST", "/refresh", { body: used });
      const login = { ...auth(name, "pass"), device_id: session.device_id };
      const plain = await server.must("POST", "/login", { body: login });
      equal(plain.refresh_token, undefined, "who does not ask gets none");
      refused(
        await server.call("POST", "/refresh", { body: { refresh_token: last } }),
        401,
        "M_UNKNOWN_TOKEN",
        "another login on the device ends what it had",
      );
    },
  },
  {
    name: "a login token logs another device in, once",
    async run({ server }) {
      const name = fresh("alice");
      const alice = await server.register(name, "pass");
      const path = "/_matrix/client/v1/login/get_token";
      equal((await alice.call("POST", path, { body: {} })).status, 401, "it asks for the password");
      const made = await alice.must("POST", path, { body: { auth: auth(name, "pass") } });
      ok(made.expires_in_ms > 0, "for a short time");
      const body = { type: "m.login.token", token: made.login_token };
      const session = await server.must("POST", "/login", { body });
      equal(session.user_id, alice.userId, "the same user");
      ok(session.device_id !== alice.deviceId, "another device");
      const twice = await server.call("POST", "/login", { body });
      refused(twice, 403, "M_FORBIDDEN", "once");
      const { capabilities } = await alice.must("GET", "/capabilities");
      equal(capabilities["m.get_login_token"].enabled, true, "and the server says that it can");
    },
  },
  {
    name: "a new password ends the other sessions, with their pushers",
    async run({ server }) {
      const name = fresh("alice");
      const alice = await server.register(name, "old");
      const other = new User(server, (await server.login(name, "old")).body);
      const pusher = {
        kind: "http",
        app_id: "test.app",
        app_display_name: "a",
        device_display_name: "d",
        lang: "en",
        data: { url: "https://push.example/_matrix/push/v1/notify" },
      };
      for (const [user, pushkey] of /** @type {const} */ ([
        [alice, fresh("mine")],
        [other, fresh("theirs")],
      ])) {
        await user.must("POST", "/pushers/set", { body: { ...pusher, pushkey } });
      }
      equal((await alice.must("GET", "/pushers")).pushers.length, 2, "two pushers");
      const body = { new_password: "new", auth: auth(name, "old") };
      await alice.must("POST", "/account/password", { body });
      await alice.must("GET", "/account/whoami");
      refused(await other.call("GET", "/account/whoami"), 401, "M_UNKNOWN_TOKEN", "it has ended");
      const { pushers } = await alice.must("GET", "/pushers");
      equal(pushers.length, 1, "one is left");
      const { app_id, pushkey } = pushers[0];
      await alice.must("POST", "/pushers/set", { body: { app_id, pushkey, kind: null } });
      equal((await alice.must("GET", "/pushers")).pushers, [], "and taken away");
      const bad = await alice.call("POST", "/pushers/set", { body: { app_id, pushkey } });
      refused(bad, 400, "M_MISSING_PARAM", "a pusher has a kind");
      const mail = await alice.call("POST", "/pushers/set", {
        body: { ...pusher, pushkey, kind: "email" },
      });
      refused(mail, 400, "M_INVALID_PARAM", "that can be");
    },
  },
  {
    name: "a deactivated account leaves its rooms and cannot come back",
    async run({ server }) {
      const name = fresh("alice");
      const alice = await server.register(name, "pass");
      const bob = await server.register(fresh("bob"));
      const room = await bob.createRoom();
      await alice.join(room);
      const tokenPath = "/_matrix/client/v1/login/get_token";
      const body = { auth: auth(name, "pass") };
      const { login_token: token } = await alice.must("POST", tokenPath, { body });
      const wrong = await alice.call("POST", "/account/deactivate", {
        body: { auth: auth(name, "wrong") },
      });
      equal(wrong.status, 401, "not with a wrong password");
      await alice.must("GET", "/account/whoami");
      const done = await alice.must("POST", "/account/deactivate", {
        body: { auth: auth(name, "pass") },
      });
      equal(done.id_server_unbind_result, "success", "there was nothing to unbind");
      refused(await alice.call("GET", "/account/whoami"), 401, "M_UNKNOWN_TOKEN", "logged out");
      refused(await server.login(name, "pass"), 403, "M_FORBIDDEN", "no login");
      const late = await server.call("POST", "/login", { body: { type: "m.login.token", token } });
      refused(late, 403, "M_FORBIDDEN", "nor with a token from before");
      const { joined } = await bob.must("GET", `/rooms/${enc(room)}/joined_members`);
      equal(Object.keys(joined), [bob.userId], "out of the room");
      const again = await server.call("POST", "/register", {
        body: { username: name, password: "x" },
      });
      refused(again, 400, "M_USER_IN_USE", "the name is never given again");
    },
  },
  {
    name: "to end all sessions ends the login tokens as well",
    async run({ server }) {
      const name = fresh("alice");
      const alice = await server.register(name, "pass");
      const { login_token: token } = await alice.must(
        "POST",
        "/_matrix/client/v1/login/get_token",
        {
          body: { auth: auth(name, "pass") },
        },
      );
      await alice.must("POST", "/logout/all", { body: {} });
      const late = await server.call("POST", "/login", { body: { type: "m.login.token", token } });
      refused(late, 403, "M_FORBIDDEN", "a login token from before");
    },
  },
  {
    name: "there are no addresses, and the server says so",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      equal(await alice.must("GET", "/account/3pid"), { threepids: [] }, "none");
      for (const path of ["/account/3pid", "/account/3pid/add", "/account/3pid/bind"]) {
        const answer = await alice.call("POST", path, { body: {} });
        refused(answer, 403, "M_THREEPID_DENIED", path);
      }
      for (const path of ["/register", "/account/password", "/account/3pid"]) {
        for (const medium of ["email", "msisdn"]) {
          const answer = await server.call("POST", `${path}/${medium}/requestToken`, { body: {} });
          refused(answer, 403, "M_THREEPID_DENIED", path);
        }
      }
      const body = { medium: "email", address: "a@example.org" };
      const gone = await alice.must("POST", "/account/3pid/delete", { body });
      equal(gone.id_server_unbind_result, "success", "and none is bound afterwards");
    },
  },
  {
    name: "one proves to others who one is, for oneself alone",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const bob = await server.register(fresh("bob"));
      const path = `/user/${enc(alice.userId)}/openid/request_token`;
      const proof = await alice.must("POST", path, { body: {} });
      equal([proof.token_type, proof.matrix_server_name], ["Bearer", alice.serverName], "a token");
      const token = proof.access_token;
      const misused = await server.call("GET", "/account/whoami", { token });
      refused(misused, 401, "M_UNKNOWN_TOKEN", "which is no access token");
      refused(await bob.call("POST", path, { body: {} }), 403, "M_FORBIDDEN", "not for another");
      const own = await alice.must("GET", `/admin/whois/${enc(alice.userId)}`);
      equal(Object.keys(own.devices), [alice.deviceId], "one sees one's own devices");
      const other = await bob.call("GET", `/admin/whois/${enc(alice.userId)}`);
      refused(other, 403, "M_FORBIDDEN", "and not those of others");
      const query = { token: "abc" };
      const validity = "/_matrix/client/v1/register/m.login.registration_token/validity";
      equal((await server.must("GET", validity, { query })).valid, false, "no token is known");
      refused(await server.call("GET", validity), 400, "M_MISSING_PARAM", "which one?");
    },
  },
];
