/**
 * Many messages at once, from users of several homeservers: the load under which the first peer-to-peer
 * Matrix lost some.
 */
import { equal } from "./check.mjs";

/** @typedef {import("./matrix.mjs").User} User */

/** A machine that is busy with other things as well. */
const SLOWEST_MS = 200;

/**
 * Each user says his share, one message after the other and all users at once, as fast as they are
 * acknowledged, and listens meanwhile. In the end everybody has heard all of it, once, each speaker's in
 * order.
 *
 * @param {User[]} users all in the room
 * @param {string} room
 * @param {number} total of messages
 * @param {() => Promise<unknown>} [halfway] what happens when half of them are said; nobody waits for it
 */
export async function burst(users, room, total, halfway = async () => {}) {
  // From here on nothing may be missing.
  for (const user of users) {
    await user.until(() => user.events(room).length > 0, `${user.userId} is in the room`);
  }
  const share = Math.ceil(total / users.length);
  const texts = users.map(({ userId }) =>
    Array.from({ length: share }, (_, i) => `${userId} says ${i}`),
  );
  let said = 0;
  /** @type {Promise<unknown>} */
  let event = Promise.resolve();
  const speak = async (/** @type {User} */ user, /** @type {string[]} */ own) => {
    for (const text of own) {
      await user.say(room, text);
      said += 1;
      if (said === Math.floor(total / 2)) {
        event = halfway();
      }
    }
  };
  const listen = async (/** @type {User} */ user) => {
    for (const [i, { userId }] of users.entries()) {
      const heard = () => user.texts(room, userId).filter((text) => text.includes(" says "));
      await user.until(
        () => heard().length >= share,
        `${user.userId} hears all ${share} of ${userId}`,
        60_000 + total * SLOWEST_MS,
      );
      equal(heard(), texts[i], `what ${user.userId} heard of ${userId}`);
    }
  };
  await Promise.all([...users.map((user, i) => speak(user, texts[i])), ...users.map(listen)]);
  await event;
}
