/** Push rules and pushers. */
import assert from "node:assert/strict";

const RULE = { kind: "content", ruleId: "cake" };

/** @type {import("../areas.mjs").Case[]} */
export const push = [
  {
    name: "the rules of a new user are the specification's",
    async run({ anyone, stage }) {
      const user = await stage.user("ruled");
      const { global } = await user.ok("getPushRules");
      assert.deepEqual(Object.keys(global).sort(), [
        "content",
        "override",
        "room",
        "sender",
        "underride",
      ]);
      assert.deepEqual(await user.ok("getPushRulesGlobal"), global);
      const master = { kind: "override", ruleId: ".m.rule.master" };
      assert.equal((await user.ok("getPushRule", master)).enabled, false);
      for (const id of ["getPushRules", "getPushRulesGlobal", "getPushers"]) {
        await anyone.fails(401, "M_MISSING_TOKEN", id);
      }
    },
  },
  {
    name: "a rule is made, switched, changed and taken away",
    async run({ stage }) {
      const user = await stage.user("ruler");
      await user.fails(404, "M_NOT_FOUND", "getPushRule", RULE);
      const actions = ["notify", { set_tweak: "sound", value: "default" }];
      await user.ok("setPushRule", RULE, { actions, pattern: "cake" });
      assert.equal((await user.ok("getPushRule", RULE)).pattern, "cake");
      await user.ok("setPushRuleEnabled", RULE, { enabled: false });
      assert.equal((await user.ok("isPushRuleEnabled", RULE)).enabled, false);
      await user.ok("setPushRuleActions", RULE, { actions: [] });
      assert.deepEqual((await user.ok("getPushRuleActions", RULE)).actions, []);
      await user.ok("deletePushRule", RULE);
      await user.fails(404, "M_NOT_FOUND", "deletePushRule", RULE);
      await user.fails(404, "M_NOT_FOUND", "isPushRuleEnabled", RULE);
      await user.fails(404, "M_NOT_FOUND", "setPushRuleEnabled", RULE, { enabled: true });
      await user.fails(404, "M_NOT_FOUND", "getPushRuleActions", RULE);
      await user.fails(404, "M_NOT_FOUND", "setPushRuleActions", RULE, { actions: [] });
      const misplaced = { kind: "content", ruleId: ".dotted" };
      const answer = await user.call("setPushRule", misplaced, { actions: [], pattern: "x" });
      assert.equal(answer.status, 400);
      await user.ok("getPushers");
    },
  },
  {
    name: "notifications are listed",
    async run({ anyone, stage }) {
      const user = await stage.user("notified");
      const friend = await stage.user("friend");
      const roomId = await user.room({ preset: "public_chat" });
      await friend.ok("joinRoomById", { roomId });
      await friend.say(roomId, "read me");
      const { notifications } = await user.ok("getNotifications", { limit: 5 });
      assert.equal(notifications[0].event.content.body, "read me");
      assert.equal(notifications[0].read, false);
      await anyone.fails(401, "M_MISSING_TOKEN", "getNotifications");
      await user.fails(400, "M_INVALID_PARAM", "getNotifications", { from: "nowhere" });
    },
  },
];
