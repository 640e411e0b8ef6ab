/** Registration, login, logout, profile, account data, devices. */
import { equal, ok, refused } from "../check.mjs";
import { User, enc, fresh } from "../matrix.mjs";

/** @type {import("./index.mjs").Conversation[]} */
export const account = [
  {
    name: "versions say what is spoken, to anybody",
    async run({ server }) {
      const body = await server.must("GET", "/_matrix/client/versions");
      ok(Array.isArray(body.versions), "versions is a list");
      ok(body.versions.includes("v1.1"), "v1.1 is spoken");
      ok(body.versions.includes("r0.6.1"), "r0.6.1 is spoken");
    },
  },
  {
    name: "registration goes through the dummy stage",
    async run({ server }) {
      const username = fresh("reg");
      const password = "correct horse";
      const first = await server.call("POST", "/register", { body: { username, password } });
      equal(first.status, 401, "the first request is told the stages");
      ok(typeof first.body.session === "string", "there is a session");
      ok(
        first.body.flows.some((/** @type {any} */ f) => f.stages.join() === "m.login.dummy"),
        "a flow is the dummy stage alone",
      );
      const auth = { type: "m.login.dummy", session: first.body.session };
      const body = { username, password, auth, initial_device_display_name: "a test" };
      const second = await server.must("POST", "/register", { body });
      ok(second.user_id.startsWith(`@${username}:`), "the user id carries the name");
      const user = new User(server, second);
      equal(
        (await user.must("GET", "/account/whoami")).user_id,
        user.userId,
        "the token is theirs",
      );
      const again = await server.call("POST", "/register", { body: { username, password } });
      refused(again, 400, "M_USER_IN_USE", "a name is given once");
    },
  },
  {
    name: "an authentication session remembers what a registration said at first, and its account",
    async run({ server }) {
      const username = fresh("remembered");
      const password = "pässwörd";
      const said = { username, password, device_id: "FIRST", inhibit_login: false };
      const first = await server.call("POST", "/register", { body: said });
      equal([first.status, first.body.completed], [401, []], "no stage is completed");
      const auth = { type: "m.login.dummy", session: first.body.session };
      const made = await server.must("POST", "/register", { body: { auth } });
      equal([made.user_id.split(":")[0], made.device_id], [`@${username}`, "FIRST"], "remembered");
      equal((await server.login(username, password)).status, 200, "the password as well");
      const again = await server.must("POST", "/register", { body: { auth } });
      equal(again.user_id, made.user_id, "the same request has the same account");
      const second = { auth, username: fresh("second"), password };
      refused(
        await server.call("POST", "/register", { body: second }),
        403,
        "M_FORBIDDEN",
        "and makes no other",
      );
    },
  },
  {
    name: "an authentication session is for one operation of one user",
    async run({ server }) {
      const name = fresh("sessioned");
      const password = "the password";
      const alice = await server.register(name, password);
      const eve = await server.register(fresh("eve"), "eve's");
      await server.login(name, password);
      const ids = (await alice.must("GET", "/devices")).devices.map(
        (/** @type {any} */ d) => d.device_id,
      );
      const [mine, other] = ids;
      const asked = await alice.call("DELETE", `/devices/${enc(mine)}`, { body: {} });
      equal(asked.status, 401, "a password is asked for");
      /** @param {string} user @param {string} word @param {string} [session] */
      const auth = (user, word, session) => ({
        auth: {
          type: "m.login.password",
          identifier: { type: "m.id.user", user },
          password: word,
          session,
        },
      });
      const { session } = asked.body;
      const path = `/devices/${enc(other)}`;
      const elsewhere = await alice.call("DELETE", path, { body: auth(name, password, session) });
      refused(elsewhere, 403, "M_FORBIDDEN", "the session is the first device's");
      const others = await alice.call("DELETE", path, { body: auth(eve.userId, "eve's") });
      refused(others, 403, "M_FORBIDDEN", "somebody else's password");
      const wrong = await alice.call("DELETE", path, { body: auth(name, "wrong") });
      refused(wrong, 401, "M_FORBIDDEN", "a wrong password is asked for again");
      equal(wrong.body.completed, [], "and passes nothing");
      equal((await alice.must("GET", "/devices")).devices.length, 2, "both are there");
      const body = auth(name, password, wrong.body.session);
      await alice.must("DELETE", path, { body });
    },
  },
  {
    name: "what is no push rule is refused",
    async run({ server }) {
      const user = await server.register(fresh("rules"));
      const rule = { pattern: "cake", actions: ["notify"] };
      for (const path of ["/", "/elsewhere/content/x", "/global", "/global/room/", "/global/x/y"]) {
        equal((await user.call("PUT", `/pushrules${path}`, { body: rule })).status, 400, path);
      }
      const path = "/pushrules/global/content/cake";
      const shout = { ...rule, actions: ["shout"] };
      refused(await user.call("PUT", path, { body: shout }), 400, "M_INVALID_PARAM", "an action");
      await user.must("PUT", path, { body: rule });
      const part = await user.call("PUT", `${path}/actions`, { body: { actions: ["shout"] } });
      refused(part, 400, "M_INVALID_PARAM", "an action of a rule that is there");
      equal((await user.must("GET", `${path}/actions`)).actions, ["notify"], "it is as it was");
      refused(await user.call("GET", "/pushrules"), 404, "M_UNRECOGNIZED", "it ends in a slash");
      refused(await user.call("GET", `${path}/sound`), 400, "M_UNRECOGNIZED", "no such part");
    },
  },
  {
    name: "registration refuses names that cannot be",
    async run({ server }) {
      for (const username of ["Not Allowed", "with:colon", "ünïcode"]) {
        const answer = await server.call("POST", "/register", {
          body: { username, password: "x y z" },
        });
        refused(answer, 400, "M_INVALID_USERNAME", username);
      }
    },
  },
  {
    name: "a name can be asked for before it is taken",
    async run({ server }) {
      const username = fresh("avail");
      const query = { username };
      equal((await server.must("GET", "/register/available", { query })).available, true, "free");
      await server.register(username);
      const taken = await server.call("GET", "/register/available", { query });
      refused(taken, 400, "M_USER_IN_USE", "taken");
    },
  },
  {
    name: "a password logs in, by name or by user id",
    async run({ server }) {
      const name = fresh("login");
      const user = await server.register(name, "pass word");
      const flows = (await server.must("GET", "/login")).flows;
      ok(
        flows.some((/** @type {any} */ f) => f.type === "m.login.password"),
        "the password flow is offered",
      );
      for (const who of [name, user.userId]) {
        const answer = await server.login(who, "pass word");
        equal([answer.status, answer.body.user_id], [200, user.userId], `login as ${who}`);
        ok(answer.body.access_token !== user.token, "each login has its own token");
        ok(answer.body.device_id !== user.deviceId, "each login has its own device");
      }
      refused(await server.login(name, "wrong"), 403, "M_FORBIDDEN", "a wrong password");
      refused(await server.login(fresh("no"), "pass word"), 403, "M_FORBIDDEN", "an unknown user");
    },
  },
  {
    name: "the r0 prefix means the same",
    async run({ server }) {
      const user = await server.register(fresh("r0"));
      const body = await user.must("GET", "/_matrix/client/r0/account/whoami");
      equal([body.user_id, body.device_id], [user.userId, user.deviceId], "whoami");
    },
  },
  {
    name: "logout ends one token, logout/all ends all",
    async run({ server }) {
      const name = fresh("out");
      const user = await server.register(name, "pass");
      const second = new User(server, (await server.login(name, "pass")).body);
      await user.must("POST", "/logout", { body: {} });
      const gone = await user.call("GET", "/account/whoami");
      refused(gone, 401, "M_UNKNOWN_TOKEN", "the token has ended");
      await second.must("GET", "/account/whoami");
      const third = new User(server, (await server.login(name, "pass")).body);
      await third.must("POST", "/logout/all", { body: {} });
      refused(
        await second.call("GET", "/account/whoami"),
        401,
        "M_UNKNOWN_TOKEN",
        "all have ended",
      );
    },
  },
  {
    name: "a profile is set by its user, read by all, and shown in rooms",
    async run({ server }) {
      const alice = await server.register(fresh("prof"));
      const bob = await server.register(fresh("prof"));
      const room = await alice.createRoom();
      await bob.join(room);
      const path = `/profile/${enc(alice.userId)}`;
      await alice.must("PUT", `${path}/displayname`, { body: { displayname: "Alice ✨" } });
      await alice.must("PUT", `${path}/avatar_url`, { body: { avatar_url: "mxc://x/y" } });
      equal(
        await bob.must("GET", path),
        { displayname: "Alice ✨", avatar_url: "mxc://x/y" },
        "the profile",
      );
      equal((await bob.must("GET", `${path}/displayname`)).displayname, "Alice ✨", "one field");
      await bob.until(
        () =>
          bob
            .events(room)
            .some(
              (e) =>
                e.type === "m.room.member" &&
                e.state_key === alice.userId &&
                e.content.displayname === "Alice ✨",
            ),
        "the room shows the new name",
      );
      const other = await bob.call("PUT", `${path}/displayname`, { body: { displayname: "Eve" } });
      refused(other, 403, "M_FORBIDDEN", "only one's own profile");
      const nobody = await bob.call("GET", `/profile/${enc(`@${fresh("no")}:${bob.serverName}`)}`);
      refused(nobody, 404, "M_NOT_FOUND", "an unknown user has no profile");
    },
  },
  {
    name: "account data is kept and synced",
    async run({ server }) {
      const user = await server.register(fresh("data"));
      await user.sync();
      const path = `/user/${enc(user.userId)}/account_data/org.example.test`;
      refused(await user.call("GET", path), 404, "M_NOT_FOUND", "nothing yet");
      await user.must("PUT", path, { body: { a: [1, "ü"] } });
      equal(await user.must("GET", path), { a: [1, "ü"] }, "it is kept");
      await user.until(
        () => user.accountData.some((e) => e.type === "org.example.test" && e.content.a[1] === "ü"),
        "the next sync has it",
      );
    },
  },
  {
    name: "devices are listed, named and seen",
    async run({ server }) {
      const user = await server.register(fresh("dev"));
      const path = `/devices/${enc(user.deviceId)}`;
      await user.must("PUT", path, { body: { display_name: "kitchen" } });
      equal((await user.must("GET", path)).display_name, "kitchen", "the device's name");
      const ids = (await user.must("GET", "/devices")).devices.map(
        (/** @type {any} */ d) => d.device_id,
      );
      equal(ids, [user.deviceId], "the list");
    },
  },
  {
    name: "a message to a device arrives there once",
    async run({ server }) {
      const alice = await server.register(fresh("todev"));
      const bob = await server.register(fresh("todev"));
      await bob.sync();
      const messages = { [bob.userId]: { [bob.deviceId]: { hello: "you" } } };
      const path = `/sendToDevice/org.example.hello/${fresh("t")}`;
      await alice.must("PUT", path, { body: { messages } });
      await alice.must("PUT", path, { body: { messages } });
      await bob.until(() => bob.toDevice.length > 0, "it arrives");
      await bob.sync();
      await bob.sync();
      equal(
        bob.toDevice,
        [{ type: "org.example.hello", sender: alice.userId, content: { hello: "you" } }],
        "once",
      );
    },
  },
  {
    name: "what a client needs to start is there",
    async run({ server }) {
      const user = await server.register(fresh("start"));
      const rules = await user.must("GET", "/pushrules/");
      ok(Array.isArray(rules.global.override), "push rules have an override list");
      const versions = (await user.must("GET", "/capabilities")).capabilities["m.room_versions"];
      equal(versions.default, "11", "rooms are version 11");
      const filter = { room: { timeline: { limit: 5 } } };
      const base = `/user/${enc(user.userId)}/filter`;
      const id = (await user.must("POST", base, { body: filter })).filter_id;
      equal(await user.must("GET", `${base}/${enc(id)}`), filter, "a filter is kept");
      const large = { room: { rooms: ["!".repeat(70_000)] } };
      refused(await user.call("POST", base, { body: large }), 413, "M_TOO_LARGE", "a small one");
      let last = "";
      for (let limit = 10; limit < 260; limit += 1) {
        const body = { room: { timeline: { limit } } };
        last = (await user.must("POST", base, { body })).filter_id;
      }
      refused(await user.call("GET", `${base}/${enc(id)}`), 404, "M_NOT_FOUND", "the newest are");
      await user.must("GET", `${base}/${enc(last)}`);
    },
  },
  {
    name: "account data is bounded, whatever its types",
    async run({ server }) {
      const user = await server.register(fresh("hoard"));
      const body = { text: "x".repeat(1_000_000) };
      const path = (/** @type {number} */ i) => `/user/${enc(user.userId)}/account_data/m.${i}`;
      for (let i = 0; i < 8; i += 1) {
        await user.must("PUT", path(i), { body });
      }
      refused(await user.call("PUT", path(8), { body }), 413, "M_TOO_LARGE", "8 MiB");
      await user.must("PUT", path(7), { body });
      await user.must("PUT", path(0), { body: {} });
      await user.must("PUT", path(8), { body });
    },
  },
];
