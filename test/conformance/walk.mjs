/**
 * Walks every operation of the client API: without a token, with a wrong one, and with another user's,
 * as the OpenAPI data says who may ask. An operation that is not served says so to everybody.
 */
import assert from "node:assert/strict";

import { Actor } from "./actor.mjs";

/** @typedef {import("./spec.mjs").Operation} Operation */
/** @typedef {import("../client/matrix.mjs").Answer} Answer */

/** Operations on a user that are everybody's to ask. */
const ABOUT_OTHERS = ["getUserProfile", "getProfileField", "getPresence", "reportUser"];
/** Operations on a room in which a stranger keeps something for themselves, or may ask to come in. */
const FOR_STRANGERS = ["reportRoom", "leaveRoom", "forgetRoom", "knockRoom"];
/** What a room tells to strangers: whether the directory shows it. */
const TOLD_TO_ALL = ["getRoomVisibilityOnDirectory"];

/** Values that fit a path's or query's parameter when nothing real is meant. */
const SAMPLES = new Map(
  Object.entries({
    userId: "@someone:example.org",
    roomId: "!room:example.org",
    roomIdOrAlias: "#room:example.org",
    roomAlias: "#room:example.org",
    eventId: "$event",
    kind: "override",
    receiptType: "m.read",
    dir: "b",
    ts: "1",
  }),
);

const SOMEBODY = { user_id: "@someone:example.org" };
/** Bodies of those that look at the body first. @type {Record<string, object>} */
const BODIES = {
  ban: SOMEBODY,
  unban: SOMEBODY,
  kick: SOMEBODY,
  inviteUser: SOMEBODY,
  inviteBy3PID: SOMEBODY, // the same request but for its body
  upgradeRoom: { new_version: "11" },
  setPresence: { presence: "online" },
  setTyping: { typing: true, timeout: 1000 },
};

/** @param {Operation} operation @param {Record<string, string>} real */
function parametersOf(operation, real) {
  const needed = operation.parameters.filter((p) => p.required && p.in !== "header");
  return Object.fromEntries(
    needed.map(({ name }) => [name, real[name] ?? SAMPLES.get(name) ?? "x"]),
  );
}

/** @param {Answer} answer */
const isUnserved = ({ status, body }) => status >= 404 && body?.errcode === "M_UNRECOGNIZED";
/** @param {Answer} answer */
const told = ({ status, body }) => `${status} ${body?.errcode}`;

/** @param {Operation} operation */
const wantsToken = ({ isOpen, security }) =>
  !isOpen && security.some((scheme) => /accessTokenBearer/i.test(scheme));

/**
 * Everything that is wrong, as "operation: what".
 * @param {import("./actor.mjs").Stage} stage
 * @param {(operation: Operation) => boolean} which
 * @param {(operation: Operation) => Promise<string | undefined>} look
 */
async function walk(stage, which, look) {
  const wrong = [];
  for (const operation of stage.operations.values()) {
    const what = which(operation) ? await look(operation) : undefined;
    if (what !== undefined) {
      wrong.push(`${operation.id}: ${what}`);
    }
  }
  assert.deepEqual(wrong, []);
}

/**
 * @param {import("./actor.mjs").Stage} stage
 * @param {Actor} actor
 * @param {string[]} wanted
 */
const walkRefused = (stage, actor, wanted) =>
  walk(stage, wantsToken, async (operation) => {
    const answer = await actor.call(operation.id, parametersOf(operation, {}));
    return isUnserved(answer) || wanted.includes(told(answer)) ? undefined : told(answer);
  });

/** @type {import("./areas.mjs").Case[]} */
export const walks = [
  {
    name: "without a token every operation that wants one says that it is missing",
    run: ({ stage, anyone }) => walkRefused(stage, anyone, ["401 M_MISSING_TOKEN"]),
  },
  {
    name: "with a wrong token every operation that wants one says that it is unknown",
    run: ({ stage }) => walkRefused(stage, stage.bearer("wrong"), ["401 M_UNKNOWN_TOKEN"]),
  },
  {
    name: "operations that want no token do not ask for one",
    run: ({ stage, anyone }) =>
      walk(
        stage,
        (operation) => operation.isOpen && operation.security.length === 0,
        async (operation) => {
          const answer = await anyone.call(operation.id, parametersOf(operation, {}));
          return answer.body?.errcode === "M_MISSING_TOKEN" ? told(answer) : undefined;
        },
      ),
  },
  {
    name: "what is a user's own is refused to another user",
    async run({ stage }) {
      const owner = await stage.user("owner");
      const thief = await stage.user("thief");
      const real = { userId: owner.userId, roomId: await owner.room() };
      const isOwn = (/** @type {Operation} */ { path, id }) =>
        path.includes("{userId}") && !ABOUT_OTHERS.includes(id);
      await walk(stage, isOwn, async (operation) => {
        const answer = await thief.call(
          operation.id,
          parametersOf(operation, real),
          BODIES[operation.id],
        );
        return isUnserved(answer) || answer.status === 403 ? undefined : told(answer);
      });
    },
  },
  {
    name: "what is in a private room is refused to who is not in it",
    async run({ stage }) {
      const owner = await stage.user("owner");
      const stranger = await stage.user("stranger");
      const roomId = await owner.room({ preset: "private_chat" });
      const eventId = await owner.say(roomId, "among us");
      const real = { userId: stranger.userId, roomId, roomIdOrAlias: roomId, eventId };
      const isInside = (/** @type {Operation} */ { path, id }) =>
        /\{roomId(OrAlias)?\}/.test(path) &&
        !/\/user\/|room_keys/.test(path) &&
        ![...FOR_STRANGERS, ...TOLD_TO_ALL].includes(id);
      await walk(stage, isInside, async (operation) => {
        const answer = await stranger.call(
          operation.id,
          parametersOf(operation, real),
          BODIES[operation.id],
        );
        return isUnserved(answer) || [403, 404].includes(answer.status) ? undefined : told(answer);
      });
    },
  },
];
