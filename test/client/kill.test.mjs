/**
 * The process is killed while users send. What was acknowledged is there afterwards, and what was
 * not is sent again under its transaction id: in the end each message is there exactly once.
 * KILLS is how often (20; 200 in the nightly run).
 */
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";

import { enc, fresh } from "./matrix.mjs";
import { outOfOrder, tell } from "./reliability.mjs";
import { scratch, startNeurite, startRelay } from "./servers.mjs";

const KILLS = Number(process.env.KILLS ?? 20);
const SENDERS = 4;
const command = `make reliability PARTS=kills KILLS=${KILLS}`;

/**
 * All messages of a room, oldest first.
 * @param {import("./matrix.mjs").User} user
 * @param {string} room
 */
async function history(user, room) {
  /** @type {any[]} */
  const events = [];
  /** @type {Record<string, string | number>} */
  let query = { dir: "b", limit: 100 };
  for (;;) {
    const body = await user.must("GET", `/rooms/${enc(room)}/messages`, { query });
    events.push(...body.chunk);
    if (body.end === undefined) {
      return events.filter((e) => e.type === "m.room.message").toReversed();
    }
    query = { ...query, from: body.end };
  }
}

test(`nothing acknowledged is lost or doubled by ${KILLS} kills under load`, async () => {
  const dir = await scratch();
  let server = await startNeurite(dir);
  const owner = await server.register(fresh("owner"));
  const room = await owner.createRoom();
  /** @type {import("./matrix.mjs").User[]} */
  const users = [];
  for (let i = 0; i < SENDERS; i += 1) {
    const user = await server.register(fresh("sender"));
    await user.join(room);
    users.push(user);
  }
  /** @type {Map<string, string>} text to event id */
  const acknowledged = new Map();
  /** What each sender has not been answered yet, and sends first after the restart. */
  const open = users.map(() => /** @type {string[]} */ ([]));
  let serial = 0;

  /**
   * Sends until the server is gone.
   * @param {number} i
   * @param {() => void} onAck
   */
  async function send(i, onAck) {
    for (;;) {
      if (open[i].length === 0) {
        serial += 1;
        open[i].push(`${i}:${serial}`);
      }
      const [body] = open[i];
      const content = { msgtype: "m.text", body };
      const path = `/rooms/${enc(room)}/send/m.room.message/${enc(body)}`;
      const answer = await users[i].call("PUT", path, { body: content }).catch(() => undefined);
      if (answer === undefined) {
        return;
      }
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      const before = acknowledged.get(body);
      assert.ok(before === undefined || before === answer.body.event_id, "one id for one text");
      acknowledged.set(body, answer.body.event_id);
      open[i].shift();
      onAck();
    }
  }

  for (let kill = 0; kill < KILLS; kill += 1) {
    let left = 1 + ((kill * 7) % 23);
    const enough = new Promise((resolve) => {
      const onAck = () => {
        left -= 1;
        if (left === 0) {
          resolve(undefined);
        }
      };
      const sending = users.map((_, i) => send(i, onAck));
      Promise.all(sending).catch((error) => resolve(error));
    });
    assert.equal(await enough, undefined);
    await server.kill();
    server = await startNeurite(dir);
    for (const user of [owner, ...users]) {
      user.server = server;
    }
    const there = new Map((await history(owner, room)).map((e) => [e.event_id, e.content.body]));
    for (const [body, id] of acknowledged) {
      assert.equal(there.get(id), body, `kill ${kill}: ${body} was acknowledged`);
    }
  }

  for (const [i, user] of users.entries()) {
    for (const body of open[i]) {
      const path = `/rooms/${enc(room)}/send/m.room.message/${enc(body)}`;
      await user.must("PUT", path, { body: { msgtype: "m.text", body } });
    }
  }
  const bodies = (await history(owner, room)).map((e) => e.content.body);
  const told = users.map((_, i) =>
    bodies.filter((b) => b.startsWith(`${i}:`)).map((b) => Number(b.split(":")[1])),
  );
  await tell({
    fault: "the native server is killed -9 under load",
    injected: KILLS,
    acknowledged: acknowledged.size,
    lost: [...acknowledged.keys()].filter((body) => !bodies.includes(body)).length,
    duplicated: bodies.length - new Set(bodies).size,
    out_of_order: told.reduce((sum, own) => sum + outOfOrder(own), 0),
    command,
  });
  assert.equal(new Set(bodies).size, bodies.length, "nothing is there twice");
  for (const own of told) {
    assert.equal(outOfOrder(own), 0, "what one user sent is in order");
  }
  await server.stop();
});

test(`two peers that are killed ${KILLS} times in turn both have everything, once, in order`, async () => {
  const dir = await scratch();
  const relay = await startRelay("ours");
  const who = ["alice", "bob"];
  const start = (/** @type {number} */ i) =>
    startNeurite(path.join(dir, who[i]), ["--relay", relay.url]);
  const servers = [await start(0), await start(1)];
  const users = [
    await servers[0].register(fresh(who[0])),
    await servers[1].register(fresh(who[1])),
  ];
  const local = fresh("kill");
  const room = await users[0].createRoom({ preset: "public_chat", room_alias_name: local });
  await users[1].join(`#${local}:${users[0].serverName}`);
  for (const user of users) {
    await user.until(() => user.events(room).length > 0, "the room is there");
  }
  const sent = [0, 0];
  /** @type {Promise<void>[]} */
  const restarting = [Promise.resolve(), Promise.resolve()];

  /**
   * The next message, again and again until it is acknowledged.
   * @param {number} i
   */
  async function say(i) {
    const body = `${who[i]} ${sent[i]}`;
    const path = `/rooms/${enc(room)}/send/m.room.message/${sent[i]}`;
    for (;;) {
      const content = { msgtype: "m.text", body };
      const answer = await users[i].call("PUT", path, { body: content }).catch(() => undefined);
      if (answer !== undefined) {
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        sent[i] += 1;
        return;
      }
      await restarting[i];
    }
  }

  for (let kill = 0; kill < KILLS; kill += 1) {
    const i = kill % 2;
    const talking = Promise.all([say(0), say(1)]);
    if (kill % 3 > 0) {
      await talking;
    }
    restarting[i] = (async () => {
      await servers[i].kill();
      servers[i] = await start(i);
      users[i].server = servers[i];
    })();
    await restarting[i];
    await talking;
  }
  const tally = { acknowledged: 0, lost: 0, duplicated: 0, out_of_order: 0 };
  for (const user of users) {
    for (const [i, other] of users.entries()) {
      const want = Array.from({ length: sent[i] }, (_, k) => `${who[i]} ${k}`);
      await user.until(
        () => user.texts(room, other.userId).length >= want.length,
        `${user.userId} has all that ${who[i]} said`,
      );
      const got = user.texts(room, other.userId);
      tally.acknowledged += want.length;
      tally.lost += want.filter((text) => !got.includes(text)).length;
      tally.duplicated += got.length - new Set(got).size;
      tally.out_of_order += outOfOrder(got.map((text) => want.indexOf(text)));
      assert.deepEqual(got, want);
    }
  }
  await tell({
    fault: "two native peers are killed -9 in turn, each read by both",
    injected: KILLS,
    ...tally,
    command,
  });
});
