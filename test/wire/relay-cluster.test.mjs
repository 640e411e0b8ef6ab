// Relays of one cluster, real ones over a real NATS, with npm's client at an address that leads to
// any of them.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { Cluster, until } from "./support/cluster.mjs";
import { Raw, chunk, text } from "./support/raw.mjs";
import { Peer, bounce, echo, receive, send } from "./support/star.mjs";

const LIMIT = { timeout: 60000 };
/** More than what sockets between a relay and NATS hold. */
const HELD_STREAMS = 24;
const HELD_BYTES = 900000;

/**
 * A test with three relays and peers that are gone afterwards.
 * @param {string} name
 * @param {(cluster: Cluster, join: (relay: number) => Promise<Peer>) => Promise<void>} run
 * @param {{withNats?: boolean}} options
 */
function clusterTest(name, run, options = {}) {
  test(name, LIMIT, async () => {
    const cluster = await Cluster.start(3, options);
    /** @type {Peer[]} */
    const peers = [];
    const join = async (/** @type {number} */ relay) => {
      cluster.next = relay;
      const peer = await Peer.join(/** @type {any} */ (cluster));
      peers.push(peer);
      return peer;
    };
    try {
      await run(cluster, join);
    } finally {
      for (const peer of peers) peer.end();
      const codes = await cluster.down();
      codes.forEach((code, i) => assert.ok(code === 0 || code === null, cluster.relays[i].stderr));
    }
  });
}

/**
 * Whether bytes come back from one peer to the other.
 * @param {Peer} a
 * @param {Peer} b
 */
async function talk(a, b) {
  const sent = randomBytes(100000);
  b.connections.clear();
  try {
    const connection = await a.dial(b);
    echo(await b.connections.next());
    const received = receive(connection);
    send(connection, sent);
    return (await received).equals(sent);
  } catch {
    return false; // the call was cut, or there was none
  }
}

describe("a cluster of three relays", () => {
  clusterTest("is one relay for those who come", async (cluster, join) => {
    const [a, b, c] = [await join(0), await join(1), await join(2)];
    await Promise.all([a.discovers(b), b.discovers(c), c.discovers(a)]);
    const sent = randomBytes(4 * 1024 * 1024);
    assert.ok((await bounce(a, b, sent)).equals(sent));
    assert.ok((await bounce(c, a, sent)).equals(sent));
    for (const relay of cluster.relays) {
      assert.equal(await Cluster.metric(relay, "rendezvous_peers"), 1);
      await until(async () => (await Cluster.metric(relay, "rendezvous_cluster_calls")) === 0);
    }
  });

  clusterTest("forgets at once who leaves", async (_, join) => {
    const [a, b] = [await join(0), await join(1)];
    await a.discovers(b);
    await b.close();
    await until(async () =>
      a.dial(b).then(
        () => false,
        (error) => /Peer not found/.test(error.message),
      ),
    );
  });

  clusterTest("goes on without a relay that is killed", async (cluster, join) => {
    const [a, b, c] = [await join(0), await join(1), await join(2)];
    await Promise.all([a.discovers(b), a.discovers(c)]);
    cluster.next = 2;
    await cluster.relays[1].down("SIGKILL"); // b's client comes back by itself, to another one
    assert.ok(await talk(a, c));
    await until(() => talk(a, b));
  });

  clusterTest("goes on after NATS was killed and is back", async (cluster, join) => {
    const [a, b] = [await join(0), await join(1)];
    await a.discovers(b);
    assert.ok(await talk(a, b));
    await cluster.nats.down();
    const c = await join(0);
    assert.ok(await talk(a, c), "one relay needs no NATS");
    await cluster.nats.up();
    await until(() => talk(a, b));
    await until(() => talk(c, b));
  });

  clusterTest("goes on while NATS hangs", async (cluster, join) => {
    const [a, b] = [await join(0), await join(1)];
    await a.discovers(b);
    const [near, far] = [await Raw.open(cluster.relays[0]), await Raw.open(cluster.relays[1])];
    await near.join("near");
    await far.join("far");
    await until(async () => (await near.next()).text === `42["ws-peer","${far.address}"]`);
    const ids = Array.from({ length: HELD_STREAMS }, (_, i) => `held-${i}`);
    for (const id of ids) await near.dial(far, id);
    cluster.nats.hang(true);
    for (const id of ids) near.write(chunk(`${id}.dialer`, Buffer.alloc(HELD_BYTES)));
    near.write(text("2"));
    for (let said = ""; said !== "3"; said = await near.says()) assert.ok(!said.startsWith("end"));
    cluster.nats.hang(false);
    near.end();
    far.end();
    await until(() => talk(a, b));
  });

  clusterTest(
    "waits for a NATS that comes later",
    async (cluster, join) => {
      const [a, b] = [await join(0), await join(1)];
      await cluster.nats.up();
      await cluster.meets(cluster.relays);
      await until(() => talk(a, b));
    },
    { withNats: false },
  );
});
