/** Native Neurites and a real Synapse in the same rooms, over HTTPS, in each room version both have. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { enc, fresh } from "../client/matrix.mjs";
import { eventually, membership, sameRoom, timelineOf } from "./rooms.mjs";
import { startOurs, startTheirs, whyNot } from "./synapse.mjs";

/** @typedef {import("../client/matrix.mjs").Server} Server */
/** @typedef {import("../client/matrix.mjs").User} User */
/** @typedef {{ host: User, guest: User, room: string }} Given who made the room, who comes from elsewhere */

const VERSIONS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];
const HISTORY = 500;
let listsAsked = 0;

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
    name: "presence, profiles and the directory of rooms are asked for elsewhere",
    run: async ({ host, guest, room }) => {
      const body = { presence: "online", status_msg: `in ${room}` };
      await guest.must("PUT", `/presence/${enc(guest.userId)}/status`, { body });
      const status = () => host.call("GET", `/presence/${enc(guest.userId)}/status`);
      await eventually(status, (s) => s.body.status_msg === body.status_msg, "the guest's status");
      const displayname = fresh("Guest");
      await guest.must("PUT", `/profile/${enc(guest.userId)}/displayname`, {
        body: { displayname },
      });
      const profile = () => host.call("GET", `/profile/${enc(guest.userId)}/displayname`);
      await eventually(profile, (p) => p.body.displayname === displayname, "the guest's name");
      const member = () => membership(host, room, guest.userId);
      await eventually(member, (m) => m.body.displayname === displayname, "his name in the room");
      // Synapse gives the same answer for 30 s to who asks the same.
      const query = () => ({ server: host.serverName, limit: 1000 - listsAsked++ });
      const list = () => guest.must("GET", "/publicRooms", { query: query() });
      const lists = (/** @type {any} */ { chunk }) =>
        chunk.some((/** @type {any} */ r) => r.room_id === room);
      await eventually(list, lists, "the directory has the room");
    },
  },
  {
    name: "devices' keys are found and claimed, and what is encrypted for a device arrives",
    run: async ({ host, guest }) => {
      const device = `ed25519:${guest.deviceId}`;
      const deviceKeys = {
        user_id: guest.userId,
        device_id: guest.deviceId,
        algorithms: ["m.olm.v1.curve25519-aes-sha2"],
        keys: { [device]: "c".repeat(43) },
        signatures: { [guest.userId]: { [device]: "s".repeat(86) } },
      };
      const once = { "curve25519:AAAAAQ": "o".repeat(43) };
      const upload = { device_keys: deviceKeys, one_time_keys: once };
      await guest.must("POST", "/keys/upload", { body: upload });
      const query = { device_keys: { [guest.userId]: [] } };
      const found = () => host.must("POST", "/keys/query", { body: query });
      const has = (/** @type {any} */ answer) =>
        answer.device_keys[guest.userId]?.[guest.deviceId]?.keys[device] !== undefined;
      await eventually(found, has, "the guest's device has keys");
      const claim = { one_time_keys: { [guest.userId]: { [guest.deviceId]: "curve25519" } } };
      const claimed = await host.must("POST", "/keys/claim", { body: claim });
      assert.deepEqual(claimed.one_time_keys[guest.userId]?.[guest.deviceId], once);
      const content = { algorithm: "m.olm.v1.curve25519-aes-sha2", ciphertext: fresh("secret") };
      const messages = { [guest.userId]: { [guest.deviceId]: content } };
      await host.must("PUT", `/sendToDevice/m.room.encrypted/${fresh("t")}`, {
        body: { messages },
      });
      const arrived = () => guest.toDevice.some((e) => e.content.ciphertext === content.ciphertext);
      await guest.until(arrived, "what was encrypted for the guest's device");
    },
  },
  {
    name: "both servers tell the same state and events",
    run: ({ host, guest, room }) => sameRoom(host, guest, room),
  },
];

/**
 * What each does while the other is not reached: he speaks, names the topic and bans the other's
 * neighbour.
 * @param {User} user
 * @param {User} banned
 * @param {string} room
 */
async function actAlone(user, banned, room) {
  const path = `/rooms/${enc(room)}`;
  await user.say(room, "alone");
  await user.must("PUT", `${path}/state/m.room.topic`, { body: { topic: `of ${user.userId}` } });
  await user.must("POST", `${path}/ban`, { body: { user_id: banned.userId } });
  await user.say(room, "alone still");
}

const why = await whyNot();

describe("with a real Synapse", { skip: why, timeout: 600_000 }, () => {
  /** @type {Awaited<ReturnType<typeof startOurs>>} */
  let ours;
  /** @type {Awaited<ReturnType<typeof startTheirs>>} */
  let theirs;

  /** @type {Map<string, Given>} */
  const shared = new Map();

  before(async () => {
    theirs = await startTheirs();
    ours = await startOurs();
  });
  after(async () => {
    await ours?.way.cut();
    await theirs?.stop();
  });

  test("every room version that both have is tried", async () => {
    const had = await Promise.all(
      [ours, theirs].map(async ({ server }) => {
        const user = await server.register(fresh("asker"));
        const { capabilities } = await user.must("GET", "/capabilities");
        return new Set(Object.keys(capabilities["m.room_versions"].available));
      }),
    );
    const common = [...had[0]].filter((version) => had[1].has(version));
    assert.deepEqual(common.toSorted(), VERSIONS.toSorted());
  });

  for (const version of VERSIONS) {
    for (const host of /** @type {const} */ (["ours", "theirs"])) {
      describe(`room version ${version}, made at ${host}`, () => {
        /** @type {Given} */
        let given;

        before(async () => {
          const [home, away] = host === "ours" ? [ours, theirs] : [theirs, ours];
          const made = await home.server.register(fresh("host"));
          const guest = await away.server.register(fresh("guest"));
          const alias = fresh("room");
          const room = await made.createRoom({
            preset: "public_chat",
            visibility: "public",
            room_version: version,
            room_alias_name: alias,
          });
          assert.equal(await guest.join(`#${alias}:${made.serverName}`), room);
          given = { host: made, guest, room };
          shared.set(`room version ${version}, made at ${host}`, given);
        });
        for (const { name, run } of steps) {
          test(name, () => run(given));
        }
      });
    }
  }

  test("what both did while they could not reach one another comes to the same", async (t) => {
    const neighbours = {
      [ours.name]: await ours.server.register(fresh("neighbour")),
      [theirs.name]: await theirs.server.register(fresh("neighbour")),
    };
    const banned = Object.values(neighbours).map((user) => user.userId);
    for (const { host, guest, room } of shared.values()) {
      for (const [user, other] of [
        [host, neighbours[guest.serverName]],
        [guest, neighbours[host.serverName]],
      ]) {
        await other.join(room, { query: { server_name: host.serverName } });
        const seen = () => membership(user, room, other.userId);
        await eventually(seen, (m) => m.body.membership === "join", "the neighbour is in");
      }
    }
    const ways = [ours.way, theirs.way];
    await Promise.all(ways.map((way) => way.cut()));
    for (const { host, guest, room } of shared.values()) {
      await actAlone(host, neighbours[guest.serverName], room);
      await actAlone(guest, neighbours[host.serverName], room);
    }
    await Promise.all(ways.map((way) => way.open()));
    for (const [name, { host, guest, room }] of shared) {
      await t.test(name, async () => {
        await host.say(room, "together");
        await guest.say(room, "together");
        await sameRoom(host, guest, room, banned);
        for (const id of banned) {
          assert.equal((await membership(host, room, id)).body.membership, "ban");
        }
      });
    }
  });

  test(`who is invited reads ${HISTORY} messages from before, both ways`, async () => {
    const read = async (/** @type {Server} */ home, /** @type {Server} */ away) => {
      const host = await home.register(fresh("host"));
      const guest = await away.register(fresh("guest"));
      const room = await host.createRoom({ preset: "private_chat" });
      for (let i = 0; i < HISTORY; i++) {
        await host.say(room, `message ${i}`);
      }
      await host.must("POST", `/rooms/${enc(room)}/invite`, { body: { user_id: guest.userId } });
      await guest.until(() => guest.rooms.get(room) === "invite", "the guest is invited");
      await guest.join(room);
      const count = async () =>
        (await timelineOf(guest, room)).filter((e) => e.type === "m.room.message").length;
      await eventually(count, (n) => n === HISTORY, "all that was said");
      await sameRoom(host, guest, room);
    };
    await Promise.all([read(ours.server, theirs.server), read(theirs.server, ours.server)]);
  });

  test("a second native server leaves the room and returns, and is away and returns", async () => {
    const third = await startOurs();
    const host = await theirs.server.register(fresh("host"));
    const guest = await ours.server.register(fresh("guest"));
    const wanderer = await third.server.register(fresh("wanderer"));
    const local = fresh("room");
    const room = await host.createRoom({ preset: "public_chat", room_alias_name: local });
    const alias = `#${local}:${theirs.name}`;
    const hears = (
      /** @type {User} */ user,
      /** @type {User} */ from,
      /** @type {string} */ text,
    ) => user.until(() => user.texts(room, from.userId).includes(text), `${user.userId}: ${text}`);
    await guest.join(alias);
    await wanderer.join(alias);
    await wanderer.say(room, "here");
    await Promise.all([host, guest].map((user) => hears(user, wanderer, "here")));
    await wanderer.must("POST", `/rooms/${enc(room)}/leave`, { body: {} });
    for (const user of [host, guest]) {
      const seen = () => membership(user, room, wanderer.userId);
      await eventually(seen, (m) => m.body.membership === "leave", "the wanderer has left");
    }
    await guest.say(room, "without the wanderer");
    await hears(host, guest, "without the wanderer");
    await wanderer.join(alias);
    await guest.say(room, "with the wanderer");
    await hears(wanderer, guest, "with the wanderer");
    await third.server.stop();
    await host.say(room, "the wanderer is away");
    await guest.say(room, "away still");
    wanderer.server = third.server = await third.start();
    await wanderer.say(room, "back");
    await Promise.all([host, guest].map((user) => hears(user, wanderer, "back")));
    await hears(wanderer, host, "the wanderer is away");
    await hears(wanderer, guest, "away still");
    await sameRoom(host, guest, room);
    await sameRoom(host, wanderer, room);
    await third.server.stop();
    await third.way.cut();
  });
});
