/** A native Neurite and a real Synapse in the same rooms, over HTTPS, in each room version both have. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { enc, fresh } from "../client/matrix.mjs";
import { startBoth, whyNot } from "./synapse.mjs";

/** @typedef {import("../client/matrix.mjs").User} User */
/** @typedef {{ host: User, guest: User, room: string }} Given who made the room, who comes from elsewhere */

const VERSIONS = (process.env.V ?? "1,2,3,4,5,6,7,8,9,10,11,12").split(",");
const WITHIN_MS = 30_000;

/**
 * Asks until the answer fits.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {(answer: T) => unknown} fits
 * @param {string} what
 */
async function eventually(ask, fits, what) {
  const end = Date.now() + WITHIN_MS;
  for (;;) {
    const answer = await ask();
    if (fits(answer)) {
      return answer;
    }
    assert.ok(Date.now() < end, `never came true: ${what}: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * @param {User} user
 * @param {string} room
 * @param {string} userId
 */
const membership = (user, room, userId) =>
  user.call("GET", `/rooms/${enc(room)}/state/m.room.member/${enc(userId)}`);

/**
 * @param {User} user
 * @param {string} room
 * @returns {Promise<Record<string, string>>} event ids by type and state key
 */
async function stateOf(user, room) {
  const state = await user.must("GET", `/rooms/${enc(room)}/state`);
  return Object.fromEntries(
    state
      .map((/** @type {any} */ e) => [`${e.type} ${e.state_key}`, e.event_id])
      .sort((/** @type {string[]} */ a, /** @type {string[]} */ b) => (a[0] < b[0] ? -1 : 1)),
  );
}

/** @type {{ name: string, run: (given: Given) => Promise<void> }[]} */
const steps = [
  {
    name: "messages pass both ways",
    run: async ({ host, guest, room }) => {
      await host.say(room, "from the host");
      await guest.until(() => guest.texts(room, host.userId).includes("from the host"), "host");
      await guest.say(room, "from the guest");
      await host.until(() => host.texts(room, guest.userId).includes("from the guest"), "guest");
    },
  },
  {
    name: "state and power levels pass",
    run: async ({ host, guest, room }) => {
      const path = `/rooms/${enc(room)}/state`;
      const levels = await host.must("GET", `${path}/m.room.power_levels`);
      levels.users = { ...levels.users, [guest.userId]: 50 };
      await host.must("PUT", `${path}/m.room.power_levels`, { body: levels });
      const asked = () => guest.must("GET", `${path}/m.room.power_levels`);
      await eventually(asked, (l) => l.users[guest.userId] === 50, "the guest is a moderator");
      await guest.must("PUT", `${path}/m.room.topic`, { body: { topic: "ours" } });
      const topic = () => host.call("GET", `${path}/m.room.topic`);
      await eventually(topic, (t) => t.body.topic === "ours", "the guest's topic");
    },
  },
  {
    name: "redactions pass",
    run: async ({ host, guest, room }) => {
      const sent = await guest.must("PUT", `/rooms/${enc(room)}/send/m.room.message/r1`, {
        body: { msgtype: "m.text", body: "taken back" },
      });
      const path = `/rooms/${enc(room)}/event/${enc(sent.event_id)}`;
      await eventually(
        () => host.call("GET", path),
        (e) => e.status === 200,
        "it arrives",
      );
      await guest.must("PUT", `/rooms/${enc(room)}/redact/${enc(sent.event_id)}/r2`, { body: {} });
      const seen = () => host.must("GET", path);
      await eventually(seen, (e) => e.content.body === undefined, "it is redacted");
    },
  },
  {
    name: "typing and receipts pass",
    run: async ({ host, guest, room }) => {
      const typing = `/rooms/${enc(room)}/typing/${enc(guest.userId)}`;
      await guest.must("PUT", typing, { body: { typing: true, timeout: 20000 } });
      const whispers = (/** @type {string} */ type) =>
        (host.ephemeral.get(room) ?? []).filter((e) => e.type === type);
      const types = () =>
        whispers("m.typing").some((e) => e.content.user_ids.includes(guest.userId));
      await host.until(types, "the guest types");
      const last = await host.must("GET", `/rooms/${enc(room)}/messages`, { query: { dir: "b" } });
      const id = last.chunk[0].event_id;
      const there = () => guest.call("GET", `/rooms/${enc(room)}/event/${enc(id)}`);
      await eventually(there, (e) => e.status === 200, "the event is there");
      const receipt = `/rooms/${enc(room)}/receipt/m.read/${enc(id)}`;
      await guest.must("POST", receipt, { body: {} });
      const reads = () =>
        whispers("m.receipt").some((e) => e.content[id]?.["m.read"]?.[guest.userId]);
      await host.until(reads, "the guest has read");
    },
  },
  {
    name: "a kick, a ban, an unban and an invite pass",
    run: async ({ host, guest, room }) => {
      const body = { user_id: guest.userId };
      const is = async (/** @type {string} */ what) => {
        const rooms = { join: "join", leave: "leave", ban: "leave", invite: "invite" };
        const kind = rooms[/** @type {keyof typeof rooms} */ (what)];
        await guest.until(() => guest.rooms.get(room) === kind, `the guest's room: ${what}`);
      };
      await host.must("POST", `/rooms/${enc(room)}/kick`, { body });
      await is("leave");
      await guest.join(room, { query: { server_name: host.serverName } });
      await is("join");
      await host.must("POST", `/rooms/${enc(room)}/ban`, { body });
      await is("ban");
      const join = `/join/${enc(room)}`;
      const refused = await guest.call("POST", join, {
        body: {},
        query: { server_name: host.serverName },
      });
      assert.equal(refused.status, 403);
      await host.must("POST", `/rooms/${enc(room)}/unban`, { body });
      await host.must("POST", `/rooms/${enc(room)}/invite`, { body });
      await is("invite");
      await guest.join(room, { query: { server_name: host.serverName } });
      const seen = () => membership(host, room, guest.userId);
      await eventually(seen, (m) => m.body.membership === "join", "the guest is back");
    },
  },
  {
    name: "the room's state is the same, event by event",
    run: async ({ host, guest, room }) => {
      const here = await stateOf(host, room);
      const same = (/** @type {object} */ there) => JSON.stringify(there) === JSON.stringify(here);
      await eventually(() => stateOf(guest, room), same, JSON.stringify(here));
    },
  },
];

const why = await whyNot();

describe("with a real Synapse", { skip: why, timeout: 600_000 }, () => {
  /** @type {Awaited<ReturnType<typeof startBoth>>} */
  let both;

  before(async () => {
    both = await startBoth();
  });
  after(() => both?.stopTheirs());

  test("every room version that both have is tried", async () => {
    const had = await Promise.all(
      [both.ours, both.theirs].map(async (server) => {
        const user = await server.register(fresh("asker"));
        const { capabilities } = await user.must("GET", "/capabilities");
        return new Set(Object.keys(capabilities["m.room_versions"].available));
      }),
    );
    const shared = [...had[0]].filter((version) => had[1].has(version));
    assert.deepEqual(shared.toSorted(), VERSIONS.toSorted());
  });

  for (const version of VERSIONS) {
    for (const host of /** @type {const} */ (["ours", "theirs"])) {
      describe(`room version ${version}, made at ${host}`, () => {
        /** @type {Given} */
        let given;

        before(async () => {
          const guests = { ours: both.theirs, theirs: both.ours };
          const made = await both[host].register(fresh("host"));
          const guest = await guests[host].register(fresh("guest"));
          const alias = fresh("room");
          const room = await made.createRoom({
            preset: "public_chat",
            room_version: version,
            room_alias_name: alias,
          });
          assert.equal(await guest.join(`#${alias}:${made.serverName}`), room);
          given = { host: made, guest, room };
        });
        for (const { name, run } of steps) {
          test(name, () => run(given));
        }
      });
    }
  }
});
