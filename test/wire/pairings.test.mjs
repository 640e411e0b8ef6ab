// The conformance checklist (p2p-wire, section 6) as one table, for each pairing of {npm's relay, ours}
// with {npm's client, ours} (RELAY=ours or RELAY=npm for one relay). relay-client.test.mjs,
// relay-wire.test.mjs and stack.test.mjs have what only one of the clients can do.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Relay, relays } from "./support/relay.mjs";
import { Stack } from "./support/stack.mjs";
import { Peer, bounce, makeId, receive } from "./support/star.mjs";

const LIMIT = { timeout: 120000 };

/**
 * What the table asks of a client.
 *
 * @typedef {object} Client
 * @property {string} address
 * @property {Peer} [peer] npm's
 * @property {(other: any) => Promise<unknown>} discovers
 * @property {() => void} forget whom it has discovered
 * @property {(other: any, bytes: Buffer) => Promise<Buffer>} echo bytes sent and got back
 * @property {(address: string) => Promise<unknown>} dial rejects with the relay's reason
 * @property {(other: any) => Promise<() => Promise<unknown>>} connect resolves to: until that ends
 * @property {() => Promise<unknown>} close
 */

/** @type {Record<string, (relay: Relay) => Promise<Client>>} */
const clients = {
  npm: async (relay) => {
    const peer = new Peer(relay, await makeId("ed25519"));
    const { discovery } = peer.star;
    /** @type {Set<string>} */
    const seen = new Set();
    discovery.on("peer", (/** @type {any} */ info) => seen.add(info.id.toB58String()));
    await peer.listen();
    return {
      address: peer.address,
      peer,
      discovers: async ({ address }) => {
        while (!seen.has(idOf(address))) await once(discovery, "peer");
      },
      forget: () => seen.clear(),
      echo: (other, bytes) => bounce(peer, other.peer, bytes),
      dial: (address) => peer.dial({ address }),
      connect: async (other) => {
        const connection = await peer.dial(other);
        await other.peer.connections.next();
        const received = receive(connection);
        return () => received;
      },
      close: async () => peer.end(),
    };
  },

  ours: async (relay) => {
    nextSeed += 1;
    const stack = new Stack(nextSeed, `ws://127.0.0.1:${relay.port}`);
    await stack.until(() => stack.id !== "", "says its name");
    const call = async (/** @type {string} */ id, /** @type {Buffer} */ bytes) => {
      const { status, body } = await stack.call(id, bytes);
      assert.equal(status, 200, body.toString());
      return body;
    };
    return {
      address: relay.address(stack.id),
      discovers: ({ address }) => stack.sees({ id: idOf(address) }),
      forget: () => stack.seen.clear(),
      echo: ({ address }, bytes) => call(idOf(address), bytes),
      dial: (address) => call(idOf(address), Buffer.alloc(0)),
      connect: async ({ address }) => {
        await call(idOf(address), Buffer.alloc(0));
        return async () => {
          while ((await stack.call(idOf(address))).status === 200);
        };
      },
      close: async () => assert.equal(await stack.end(), 0, stack.stderr),
    };
  },
};
let nextSeed = 0;

/** @param {string} address */
const idOf = (address) => address.slice(address.lastIndexOf("/") + 1);

/** @param {Client[]} all */
const meet = (all) =>
  Promise.all(all.flatMap((a) => all.filter((b) => b !== a).map((b) => a.discovers(b))));

/** A line of the checklist, with three clients who know each other. */
/** @type {[string, (clients: Client[], relay: Relay) => Promise<void>][]} */
const checklist = [
  ["joins with the challenge and discovers both ways", async () => {}],
  [
    "gets a mebibyte back from an echo, both ways",
    async ([a, b]) => {
      const sent = randomBytes(1024 * 1024);
      assert.ok((await a.echo(b, sent)).equals(sent));
      assert.ok((await b.echo(a, sent)).equals(sent));
    },
  ],
  [
    "is told that a peer is unknown",
    async ([a], relay) => {
      const absent = relay.address((await makeId("ed25519")).toB58String());
      await assert.rejects(a.dial(absent), /Peer not found|no relay knows the peer/);
    },
  ],
  [
    "hears the end when a listener closes, who cannot be dialled any more",
    async ([a, b]) => {
      const ended = await a.connect(b);
      await b.close();
      await ended();
      await assert.rejects(a.dial(b.address), /Peer not found|no relay knows the peer/);
    },
  ],
  [
    "joins again by itself after the relay's restart and can be dialled",
    async (all, relay) => {
      await relay.down();
      all.forEach((client) => client.forget());
      await relay.up();
      await meet(all);
      const sent = Buffer.from("still here");
      assert.ok((await all[0].echo(all[1], sent)).equals(sent));
    },
  ],
  [
    "has the listeners apart",
    async ([a, b, c]) => {
      for (const [from, to] of [
        [a, b],
        [b, a],
        [c, a],
      ]) {
        const sent = Buffer.from(from.address);
        assert.ok((await from.echo(to, sent)).equals(sent));
      }
    },
  ],
];

for (const kind of relays) {
  for (const [name, join] of Object.entries(clients)) {
    describe(`{${kind}'s relay, ${name}'s client}`, () => {
      for (const [line, run] of checklist) {
        test(line, LIMIT, async () => {
          const relay = await Relay.start(kind);
          const all = await Promise.all([relay, relay, relay].map(join));
          try {
            await meet(all);
            await run(all, relay);
          } finally {
            await Promise.all(all.map((client) => client.close()));
            assert.equal(await relay.down(), 0, relay.stderr);
          }
        });
      }
    });
  }
}
