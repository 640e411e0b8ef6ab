// The conformance checklist with the real client, at our relay and, as a control, at npm's
// (RELAY=ours or RELAY=npm for one of them).
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { Relay, relays } from "./support/relay.mjs";
import { Peer, bounce, echo, makeId, receive, send } from "./support/star.mjs";

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

    relayTest("gets a mebibyte back from an echo", kind, [], async (relay, peers) => {
      const a = await Peer.join(relay);
      peers.push(a);
      const b = await Peer.join(relay);
      peers.push(b);
      const sent = randomBytes(1024 * 1024);
      assert.ok((await bounce(a, b, sent)).equals(sent));
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

    relayTest("is told that a peer is unknown", kind, [], async (relay, peers) => {
      const a = await Peer.join(relay);
      peers.push(a);
      const absent = relay.address((await makeId("ed25519")).toB58String());
      await assert.rejects(a.dial({ address: absent }), /Peer not found/);
    });

    relayTest("hears the end when a listener closes", kind, [], async (relay, peers) => {
      const a = await Peer.join(relay);
      peers.push(a);
      const b = await Peer.join(relay);
      peers.push(b);
      const connection = await a.dial(b);
      await b.connections.next();
      const received = receive(connection);
      await b.close();
      assert.equal((await received).length, 0);
      await assert.rejects(a.dial(b), /Peer not found/);
    });

    relayTest("joins again by itself after a restart", kind, [], async (relay, peers) => {
      const a = await Peer.join(relay);
      peers.push(a);
      const b = await Peer.join(relay);
      peers.push(b);
      await Promise.all([a.discovers(b), b.discovers(a)]);
      await relay.down();
      await relay.up();
      a.discovered.clear();
      b.discovered.clear();
      await Promise.all([a.discovers(b), b.discovers(a)]);
      const accepted = b.connections.next().then(echo);
      const connection = await a.dial(b);
      await accepted;
      const received = receive(connection);
      send(connection, Buffer.from("still here"));
      assert.equal((await received).toString(), "still here");
    });

    relayTest("has two listeners of one process apart", kind, [], async (relay, peers) => {
      const [a, b, c] = await Promise.all([1, 2, 3].map(() => Peer.join(relay)));
      peers.push(a, b, c);
      for (const [from, to] of [
        [a, b],
        [b, a],
        [c, a],
      ]) {
        const accepted = to.connections.next();
        const connection = await from.dial(to);
        const received = receive(await accepted);
        send(connection, Buffer.from(from.name));
        assert.equal((await received).toString(), from.name);
      }
    });
  });
}
