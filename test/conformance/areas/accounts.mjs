/** Registration, login, who one is, profiles, and what the server says about itself. */
import assert from "node:assert/strict";

import { fresh } from "../../client/matrix.mjs";

const PASSWORD = "a secret nobody guesses";

/** @param {string} userId @param {string} password */
const byPassword = (userId, password) => ({
  type: "m.login.password",
  identifier: { type: "m.id.user", user: userId },
  password,
});

/** @type {import("../areas.mjs").Case[]} */
export const accounts = [
  {
    name: "somebody registers, and nobody else under that name",
    async run({ anyone, stage }) {
      const username = fresh("reg");
      await anyone.ok("checkUsernameAvailability", { username });
      const first = await anyone.call("register", {}, { username, password: PASSWORD });
      assert.equal(first.status, 401);
      const { session } = first.body;
      const auth = { type: "m.login.dummy", session };
      const body = { username, password: PASSWORD, auth, initial_device_display_name: "desk" };
      const user = stage.as(await anyone.ok("register", { kind: "user" }, body));
      assert.equal((await user.ok("getTokenOwner")).user_id, user.userId);
      const afresh = { ...body, auth: { type: auth.type } };
      await anyone.fails(400, "M_USER_IN_USE", "register", {}, afresh);
      await anyone.fails(400, "M_USER_IN_USE", "checkUsernameAvailability", { username });
      await anyone.fails(400, "M_INVALID_USERNAME", "checkUsernameAvailability", {
        username: "spaces are wrong",
      });
      const wrong = { ...afresh, username: "white space" };
      await anyone.fails(400, "M_INVALID_USERNAME", "register", {}, wrong);
    },
  },
  {
    name: "registration without a login gives no token",
    async run({ anyone }) {
      const auth = { type: "m.login.dummy" };
      const body = { username: fresh("quiet"), password: PASSWORD, auth, inhibit_login: true };
      const answer = await anyone.ok("register", {}, body);
      assert.equal(answer.access_token, undefined);
    },
  },
  {
    name: "somebody logs in with the right password, and out",
    async run({ anyone, stage }) {
      const user = await stage.user("login", PASSWORD);
      const { flows } = await anyone.ok("getLoginFlows");
      assert.ok(flows.some((/** @type {any} */ flow) => flow.type === "m.login.password"));
      const again = stage.as(await anyone.ok("login", {}, byPassword(user.userId, PASSWORD)));
      assert.notEqual(again.deviceId, user.deviceId);
      await anyone.fails(403, "M_FORBIDDEN", "login", {}, byPassword(user.userId, "wrong"));
      await anyone.fails(400, "M_UNKNOWN", "login", {}, { type: "m.login.nonsense" });
      await again.ok("logout");
      await again.fails(401, "M_UNKNOWN_TOKEN", "logout");
      await user.ok("logout_all");
      await user.fails(401, "M_UNKNOWN_TOKEN", "logout_all");
    },
  },
  {
    name: "a password is changed by who knows it",
    async run({ anyone, stage }) {
      const user = await stage.user("pass", PASSWORD);
      const change = { new_password: "another secret", logout_devices: false };
      const asked = await user.call("changePassword", {}, change);
      assert.equal(asked.status, 401);
      const auth = { ...byPassword(user.userId, PASSWORD), session: asked.body.session };
      await user.ok("changePassword", {}, { ...change, auth });
      await anyone.fails(403, "M_FORBIDDEN", "login", {}, byPassword(user.userId, PASSWORD));
      await anyone.ok("login", {}, byPassword(user.userId, "another secret"));
    },
  },
  {
    name: "whoami tells who has a token",
    async run({ anyone, stage }) {
      const user = await stage.user("who");
      const told = await user.ok("getTokenOwner");
      assert.deepEqual([told.user_id, told.device_id], [user.userId, user.deviceId]);
      await anyone.fails(401, "M_MISSING_TOKEN", "getTokenOwner");
    },
  },
  {
    name: "a profile is what its owner makes it",
    async run({ anyone, stage }) {
      const user = await stage.user("face");
      const other = await stage.user("other");
      const keyName = "displayname";
      await user.ok("setProfileField", { keyName }, { displayname: "Face" });
      const avatar = { avatar_url: "mxc://example.org/abc" };
      await user.ok("setProfileField", { keyName: "avatar_url" }, avatar);
      const { userId } = user;
      assert.deepEqual(await anyone.ok("getUserProfile", { userId }), {
        displayname: "Face",
        ...avatar,
      });
      assert.deepEqual(await anyone.ok("getProfileField", { userId, keyName }), {
        displayname: "Face",
      });
      const nobody = `@${fresh("nobody")}:${user.serverName}`;
      await anyone.fails(404, "M_NOT_FOUND", "getUserProfile", { userId: nobody });
      await anyone.fails(404, "M_NOT_FOUND", "getProfileField", { userId: nobody, keyName });
      const theft = { displayname: "Stolen" };
      await other.fails(403, "M_FORBIDDEN", "setProfileField", { userId, keyName }, theft);
    },
  },
  {
    name: "people are found in the directory of users",
    async run({ anyone, stage }) {
      const user = await stage.user("seeker");
      const found = await stage.user("findme");
      const roomId = await found.room();
      await user.ok("joinRoomById", { roomId });
      const body = { search_term: found.userId.slice(1, 12), limit: 5 };
      const { results } = await user.ok("searchUserDirectory", {}, body);
      assert.ok(results.some((/** @type {any} */ one) => one.user_id === found.userId));
      await anyone.fails(401, "M_MISSING_TOKEN", "searchUserDirectory", {}, body);
    },
  },
  {
    name: "the server says what it can do",
    async run({ anyone, stage }) {
      const user = await stage.user("curious");
      const { versions } = await anyone.ok("getVersions");
      assert.ok(versions.includes("v1.11"), versions.join());
      const refused = await anyone.server.call("DELETE", "/_matrix/client/versions");
      assert.equal(refused.status, 405);
      const { capabilities } = await user.ok("getCapabilities");
      assert.equal(capabilities["m.room_versions"].default, "11");
      for (const id of ["getCapabilities", "getTurnServer", "getProtocols", "getAccount3PIDs"]) {
        await user.ok(id);
        await anyone.fails(401, "M_MISSING_TOKEN", id);
        await stage.bearer("wrong").fails(401, "M_UNKNOWN_TOKEN", id);
      }
    },
  },
  {
    name: "a profile has fields of its owner's own",
    async run({ stage }) {
      const user = await stage.user("fields");
      const other = await stage.user("reader");
      const field = { userId: user.userId, keyName: "org.example.languages" };
      const value = { "org.example.languages": ["de", "fr"] };
      await user.ok("setProfileField", field, value);
      assert.deepEqual(await other.ok("getProfileField", field), value);
      assert.deepEqual(
        (await other.ok("getUserProfile", { userId: user.userId }))["org.example.languages"],
        ["de", "fr"],
      );
      await other.fails(403, "M_FORBIDDEN", "setProfileField", field, value);
      await other.fails(403, "M_FORBIDDEN", "deleteProfileField", field);
      await user.fails(400, "M_MISSING_PARAM", "setProfileField", field, { other: 1 });
      const large = { "org.example.languages": "x".repeat(64 * 1024) };
      await user.fails(400, "M_PROFILE_TOO_LARGE", "setProfileField", field, large);
      await user.ok("deleteProfileField", field);
      await other.fails(404, "M_NOT_FOUND", "getProfileField", field);
    },
  },
];
