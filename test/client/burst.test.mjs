/** A burst of BURST messages (1000; 10,000 in the nightly run) among three native homeservers. */
import path from "node:path";
import { test } from "node:test";

import { burst } from "./burst.mjs";
import { fresh } from "./matrix.mjs";
import { scratch, startNeurite, startRelay } from "./servers.mjs";

const BURST = Number(process.env.BURST ?? 1000);

test(`no message of ${BURST} is lost under traffic, with a relay restarted in the middle`, async () => {
  const dir = await scratch();
  let relay = await startRelay("ours");
  const users = await Promise.all(
    ["alice", "bob", "carol"].map(async (name) => {
      const server = await startNeurite(path.join(dir, name), ["--relay", relay.url]);
      return server.register(fresh(name));
    }),
  );
  const [alice, ...others] = users;
  const local = fresh("foo");
  const room = await alice.createRoom({ preset: "public_chat", room_alias_name: local });
  for (const other of others) {
    await other.join(`#${local}:${alice.serverName}`);
  }
  await burst(users, room, BURST, async () => {
    await relay.stop();
    relay = await startRelay("ours", relay.port);
  });
});
