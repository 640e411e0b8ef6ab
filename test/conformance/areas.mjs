/** All cases by area. */
import { accounts } from "./areas/accounts.mjs";
import { backup } from "./areas/backup.mjs";
import { devices } from "./areas/devices.mjs";
import { events } from "./areas/events.mjs";
import { federation } from "./areas/federation.mjs";
import { federationRooms } from "./areas/federation_rooms.mjs";
import { push } from "./areas/push.mjs";
import { relations } from "./areas/relations.mjs";
import { rooms } from "./areas/rooms.mjs";
import { sync } from "./areas/sync.mjs";
import { walks } from "./walk.mjs";

/**
 * @typedef {object} Given
 * @property {import("./actor.mjs").Stage} stage
 * @property {import("./actor.mjs").Actor} anyone somebody without a token
 * @property {import("./resident.mjs").Resident} resident another server
 */
/**
 * @typedef {object} Case
 * @property {string} name a sentence
 * @property {(given: Given) => Promise<void>} run
 */

/** @type {Record<string, Case[]>} */
export const areas = {
  accounts,
  rooms,
  events,
  relations,
  sync,
  push,
  devices,
  backup,
  federation,
  "federation, rooms": federationRooms,
  walks,
};
