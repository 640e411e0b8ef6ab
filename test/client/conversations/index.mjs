/**
 * All conversations with one homeserver. Each makes its own users and rooms, so they may run in any
 * order, at once, and against a server that others use as well.
 */
import { account } from "./account.mjs";
import { devices } from "./devices.mjs";
import { errors } from "./errors.mjs";
import { keys } from "./keys.mjs";
import { media } from "./media.mjs";
import { members } from "./members.mjs";
import { messages } from "./messages.mjs";
import { peeking } from "./peeking.mjs";
import { relations } from "./relations.mjs";
import { rooms } from "./rooms.mjs";
import { search } from "./search.mjs";
import { sessions } from "./sessions.mjs";
import { spaces } from "./spaces.mjs";
import { sync } from "./sync.mjs";
import { visibility } from "./visibility.mjs";

/**
 * @typedef {object} Conversation
 * @property {string} name a sentence
 * @property {(given: { server: import("../matrix.mjs").Server }) => Promise<void>} run
 */

/** @type {Conversation[]} */
export const conversations = [
  ...account,
  ...rooms,
  ...members,
  ...spaces,
  ...messages,
  ...relations,
  ...peeking,
  ...visibility,
  ...search,
  ...sync,
  ...devices,
  ...sessions,
  ...keys,
  ...media,
  ...errors,
];
