// Our peer-to-peer stack against the world: over our relay and npm's, with npm's client.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { createRequire } from "node:module";
import { Libp2pPeer } from "./support/libp2p.mjs";
import { Relay, relays } from "./support/relay.mjs";
import { Stack } from "./support/stack.mjs";
import { Peer } from "./support/star.mjs";

const pull = createRequire(import.meta.url)("pull-stream");
const LIMIT = { timeout: 120000 };
const HELLO = "\x13/multistream/1.0.0\n\x07/noise\n";

/**
 * A test with a relay and two stacks at it.
 * @param {string} name
 * @param {import("./support/relay.mjs").Kind} kind
 * @param {(given: { relay: Relay, a: Stack, b: Stack, npm: () => Promise<Peer> }) => Promise<void>} run
 */
function stackTest(name, kind, run) {
  test(name, LIMIT, async () => {
    const relay = await Relay.start(kind);
    const url = `ws://127.0.0.1:${relay.port}`;
    const stacks = [new Stack(1, url), new Stack(2, url)];
    /** @type {Peer[]} */
    const peers = [];
    const npm = async () => {
      const peer = await Peer.join(relay);
      peers.push(peer);
      return peer;
    };
    try {
      const [a, b] = stacks;
      await Promise.all(stacks.map((s) => s.until(() => s.id !== "", "says its name")));
      await Promise.all([a.sees(b), b.sees(a)]);
      await run({ relay, a, b, npm });
    } finally {
      for (const peer of peers) peer.end();
      const codes = await Promise.all(stacks.map((stack) => stack.end()));
      await relay.down();
      assert.deepEqual(codes, [0, 0], stacks.map((stack) => stack.stderr).join("\n"));
    }
  });
}

/**
 * The first bytes of a connection, at least n of them.
 * @param {{source: any}} connection
 * @param {number} n
 * @returns {Promise<Buffer>}
 */
const firstBytes = (connection, n) =>
  new Promise((resolve) => {
    let got = Buffer.alloc(0);
    pull(
      connection.source,
      pull.drain((/** @type {Buffer} */ chunk) => {
        got = Buffer.concat([got, chunk]);
        if (got.length >= n) resolve(got);
        return got.length < n;
      }),
    );
  });

describe("our stack at several relays", () => {
  test("reaches a peer through any of them, the first while it is there", LIMIT, async () => {
    const first = await Relay.start("ours");
    const second = await Relay.start("npm");
    const urls = [first, second].map((relay) => `ws://127.0.0.1:${relay.port}`);
    const stacks = [new Stack(1, ...urls), new Stack(2, ...urls)];
    try {
      const [a, b] = stacks;
      await Promise.all(stacks.map((s) => s.until(() => s.id !== "", "says its name")));
      const both = (/** @type {Stack} */ s) => s.seen.size === 2;
      await Promise.all(stacks.map((s) => s.until(() => both(s), "sees the other twice")));
      assert.equal((await a.call(b.id)).status, 200);
      assert.match(await (await fetch(`${first.url}/metrics`)).text(), /dials_total_success 1\n/);
      await first.down("SIGKILL");
      // What was under way through the first one may be lost; the next goes through the second.
      while ((await a.call(b.id)).status !== 200);
      while ((await b.call(a.id)).status !== 200);
      assert.deepEqual([a.gone, b.gone], [[], []]);
    } finally {
      const codes = await Promise.all(stacks.map((stack) => stack.end()));
      await Promise.all([first.down(), second.down()]);
      assert.deepEqual(codes, [0, 0], stacks.map((stack) => stack.stderr).join("\n"));
    }
  });
});

for (const kind of relays) {
  describe(`our stack over ${kind === "ours" ? "our relay" : "npm's relay"}`, () => {
    stackTest("exchanges requests both ways, up to a mebibyte", kind, async ({ a, b }) => {
      const bodies = Array.from({ length: 50 }, (_, i) =>
        randomBytes(i % 25 === 7 ? 1024 * 1024 : i * 100),
      );
      const calls = bodies.flatMap((body) => [a.call(b.id, body), b.call(a.id, body)]);
      const answers = await Promise.all(calls);
      answers.forEach((answer, i) => {
        assert.equal(answer.status, 200, answer.body.toString());
        assert.ok(answer.body.equals(bodies[i >> 1]));
      });
      assert.deepEqual(new Set(a.requests), new Set([b.id]));
    });

    stackTest("tells the relay nothing of what is said", kind, async ({ a, b }) => {
      const secret = "the quick brown fox jumps over the lazy dog";
      const answer = await a.call(b.id, Buffer.from(secret));
      assert.equal(answer.body.toString(), secret);
      const passed = Buffer.concat([...a.passed, ...b.passed]);
      assert.ok(passed.includes(a.id), "the record is a record");
      assert.ok(!passed.includes(secret));
      assert.ok(!passed.includes("/echo"));
    });

    stackTest("loses one connection to a flipped byte", kind, async ({ a, b }) => {
      assert.equal((await a.call(b.id)).status, 200);
      a.tamper = (bytes) => {
        if (bytes.length < 300) return bytes;
        a.tamper = undefined;
        const flipped = Buffer.from(bytes);
        flipped[250] ^= 1;
        return flipped;
      };
      const lost = await a.call(b.id, randomBytes(5000));
      assert.equal(lost.status, 0);
      const body = randomBytes(5000);
      const answer = await a.call(b.id, body);
      assert.equal(answer.status, 200);
      assert.ok(answer.body.equals(body));
      assert.deepEqual(a.gone, []);
    });

    stackTest("finds its peers again after the relay's restart", kind, async ({ relay, a, b }) => {
      assert.equal((await a.call(b.id)).status, 200);
      await relay.down("SIGKILL");
      await Promise.all([a, b].map((s) => s.until(() => s.gone.length > 0, "notices")));
      a.seen.clear();
      b.seen.clear();
      await relay.up();
      await Promise.all([a.sees(b), b.sees(a)]);
      assert.equal((await a.call(b.id)).status, 200);
      assert.equal((await b.call(a.id)).status, 200);
    });

    stackTest("knows when a peer is not there", kind, async ({ a, b }) => {
      await b.end();
      const answer = await a.call(b.id);
      assert.equal(answer.status, 0);
      // Our relay tells departures; npm's is asked first, and so is ours when the call is as quick.
      // npm's leaves a dial unanswered that meets the peer in the moment of his end.
      const words = ["Peer not found", "no relay knows the peer"];
      if (kind === "npm") words.push("the dial was not answered");
      assert.ok(words.includes(answer.body.toString()), answer.body.toString());
    });

    stackTest("is discovered and dialled by npm's client", kind, async ({ relay, a, npm }) => {
      const peer = await npm();
      await Promise.all([peer.discovers(/** @type {any} */ ({ name: a.id })), a.sees(peer)]);
      const connection = await peer.dial({ address: relay.address(a.id) });
      pull(pull.values([Buffer.from(HELLO)]), connection.sink);
      const got = await firstBytes(connection, HELLO.length);
      assert.equal(got.toString("latin1"), HELLO);
    });

    for (const isEarly of [true, false]) {
      const how = isEarly ? "its handshake" : "multistream-select";
      stackTest(`talks HTTP with js-libp2p, yamux by ${how}`, kind, async ({ relay, a }) => {
        const js = await Libp2pPeer.join(relay, isEarly);
        try {
          await a.sees(js);
          for (const size of [5, 100000, 1000000]) {
            const body = randomBytes(size);
            const answer = await a.call(js.name, body);
            assert.equal(answer.status, 200, answer.body.toString());
            assert.ok(answer.body.equals(body));
          }
          assert.deepEqual(js.remotes, [a.id]);
          const muxer = await js.dial({ address: relay.address(a.id) }, a.id);
          for (const size of [5, 100000, 1000000]) {
            const body = randomBytes(size);
            const answer = await js.call(muxer, body);
            assert.equal(answer.line, "HTTP/1.1 200 OK");
            assert.ok(answer.body.equals(body));
          }
          assert.deepEqual(a.requests, [js.name, js.name, js.name]);
          assert.equal(await js.speaks(muxer, "/ipfs/ping/1.0.0"), false);
          assert.equal(typeof (await muxer.ping()), "number");
          assert.deepEqual([...js.muxers], [isEarly ? "noise" : "multistream"]);
          await muxer.close();
        } finally {
          js.end();
        }
      });
    }

    stackTest("dials npm's client and begins with Noise", kind, async ({ a, npm }) => {
      const peer = await npm();
      await a.sees(peer);
      const call = a.call(peer.name);
      const connection = await peer.connections.next();
      const got = await firstBytes(connection, HELLO.length);
      assert.equal(got.toString("latin1"), HELLO);
      pull(pull.values([Buffer.from("\x13/multistream/1.0.0\n\x03na\n")]), connection.sink);
      assert.equal((await call).status, 0);
    });
  });
}
