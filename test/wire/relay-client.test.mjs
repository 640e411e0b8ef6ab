// What of the conformance checklist is about npm's client alone, at our relay and, as a control, at
// npm's (RELAY=ours or RELAY=npm for one of them). pairings.test.mjs has what both clients do.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Relay, relays } from "./support/relay.mjs";
import { Peer, makeId, receive, send } from "./support/star.mjs";

const LIMIT = { timeout: 60000 };

/**
 * A test with a relay of its own and peers that are gone afterwards.
 * @param {string} name
 * @param {import("./support/relay.mjs").Kind} kind
 * @param {string[]} args
 * @param {(relay: Relay, peers: Peer[]) => Promise<void>} run
 */
function relayTest(name, kind, args, run) {
  test(name, LIMIT, async () => {
    const relay = await Relay.start(kind, ...args);
    /** @type {Peer[]} */
    const peers = [];
    try {
      await run(relay, peers);
    } finally {
      for (const peer of peers) peer.end();
      const code = await relay.down();
      assert.equal(code, 0, relay.stderr);
    }
  });
}

for (const kind of relays) {
  describe(`npm's client at ${kind === "ours" ? "our relay" : "npm's relay"}`, () => {
    for (const type of /** @type {const} */ (["rsa", "ed25519", "secp256k1"])) {
      relayTest(`joins with a challenge for a key of ${type}`, kind, [], async (relay, peers) => {
        const a = await Peer.join(relay, type);
        peers.push(a);
        const b = await Peer.join(relay, type);
        peers.push(b);
        await Promise.all([a.discovers(b), b.discovers(a)]);
      });
    }

    relayTest("is refused with a key that is not its id's", kind, [], async (relay, peers) => {
      const name = (await makeId("ed25519")).toB58String();
      const liar = new Peer(relay, await makeId("ed25519"), { name });
      peers.push(liar);
      await assert.rejects(liar.listen());
      const honest = await Peer.join(relay);
      peers.push(honest);
      await assert.rejects(honest.dial(liar), /Peer not found/);
    });

    relayTest(
      "joins without a challenge only when it may",
      kind,
      ["--disableCryptoChallenge"],
      async (relay, peers) => {
        const a = new Peer(relay, await makeId("ed25519"), {
          allowJoinWithDisabledChallenge: true,
        });
        peers.push(a);
        await a.listen();
        const b = new Peer(relay, await makeId("ed25519"));
        peers.push(b);
        await assert.rejects(b.listen(), /crypto challenge disabled/);
      },
    );

    relayTest("discovers at the join and again by the timer", kind, [], async (relay, peers) => {
      const a = await Peer.join(relay);
      peers.push(a);
      const b = await Peer.join(relay);
      peers.push(b);
      await Promise.all([a.discovers(b), b.discovers(a)]);
      const start = Date.now();
      await Promise.all([a.discovers(b), b.discovers(a)]);
      assert.ok(Date.now() - start > 5000, "not the join's own announcement");
    });

    relayTest("closes either half first", kind, [], async (relay, peers) => {
      const a = await Peer.join(relay);
      peers.push(a);
      const b = await Peer.join(relay);
      peers.push(b);
      for (const dialerFirst of [true, false]) {
        const dialed = await a.dial(b);
        const accepted = await b.connections.next();
        const [first, second] = dialerFirst ? [dialed, accepted] : [accepted, dialed];
        const heardSecond = receive(second);
        send(first, Buffer.from("I am done"));
        assert.equal((await heardSecond).toString(), "I am done");
        const heardFirst = receive(first);
        send(second, Buffer.from("I "), Buffer.alloc(0), Buffer.from("am too"));
        assert.equal((await heardFirst).toString(), "I am too");
      }
    });
  });
}
