/** A burst of BURST messages (1000; 10,000 in the nightly run) among three native homeservers. */
import path from "node:path";
import { test } from "node:test";

import { burst } from "./burst.mjs";
import { fresh } from "./matrix.mjs";
import { scratch, startNats, startNeurite, startRelay } from "./servers.mjs";

const BURST = Number(process.env.BURST ?? 1000);

/**
 * A user of each of three homeservers, all in one room.
 * @param {string[]} relays the url of each one's relay
 */
async function three(relays) {
  const dir = await scratch();
  const users = await Promise.all(
    ["alice", "bob", "carol"].map(async (name, i) => {
      const server = await startNeurite(path.join(dir, name), ["--relay", relays[i]]);
      return server.register(fresh(name));
    }),
  );
  const [alice, ...others] = users;
  const local = fresh("foo");
  const room = await alice.createRoom({ preset: "public_chat", room_alias_name: local });
  for (const other of others) {
    await other.join(`#${local}:${alice.serverName}`);
  }
  return { users, room };
}

test(`no message of ${BURST} is lost under traffic, with a relay restarted in the middle`, async () => {
  let relay = await startRelay("ours");
  const { users, room } = await three([relay.url, relay.url, relay.url]);
  await burst(users, room, BURST, async () => {
    await relay.stop();
    relay = await startRelay("ours", relay.port);
  });
});

test(`no message of ${BURST} is lost among three relays of a cluster, with one killed and NATS as well`, async () => {
  let nats = await startNats();
  const cluster = ["--cluster", nats.url];
  const relays = await Promise.all([1, 2, 3].map(() => startRelay("ours", undefined, cluster)));
  const { users, room } = await three(relays.map(({ url }) => url));
  await burst(users, room, BURST, async () => {
    await relays[1].kill();
    await startRelay("ours", relays[1].port, cluster);
    await nats.kill();
    nats = await startNats(nats.port);
  });
});
