// What a stranger may try: each row is an attack, the answer it gets, and the series of /metrics that
// counts it. Attackers come from an address of their own; afterwards two others still have their stream.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { until } from "./support/cluster.mjs";
import { Relay } from "./support/relay.mjs";
import { Raw, chunk, frame, identity, text } from "./support/raw.mjs";

const LIMIT = { timeout: 60000 };
const SP = "socket.io-pull-stream";
const FROM = "127.0.0.66";
const UPGRADE = "EIO=3&transport=websocket";

/** @typedef {{relay: Relay, victim: Raw}} Scene */
/** @typedef {{what: string, counts: string, attack: (scene: Scene) => Promise<void>}} Row */

const hits = (/** @type {string} */ limit) => `rendezvous_limit_hits_total{limit="${limit}"}`;
const attacker = (/** @type {Relay} */ relay) => Raw.open(relay, UPGRADE, FROM);

/** Sends what closes the connection. @param {number} code @param {() => Buffer} bytes */
const isClosed =
  (code, bytes) =>
  async (/** @type {Scene} */ { relay }) => {
    const raw = await attacker(relay);
    raw.write(bytes());
    assert.equal(await raw.says(), `close ${code}`);
    raw.end();
  };

/** Two of the attacker's clients. @param {Relay} relay @param {string} name */
async function pair(relay, name) {
  const a = await attacker(relay);
  const b = await attacker(relay);
  await a.join(`${name} dialer`);
  await b.join(`${name} listener`);
  return { a, b };
}

/** A socket that says so much and no more; resolves when it is hung up on. */
async function halfOpen(/** @type {Relay} */ relay, /** @type {string} */ words) {
  const socket = connect({ port: relay.port, host: "127.0.0.1", localAddress: FROM });
  socket.on("error", () => {});
  socket.resume();
  socket.write(words);
  await once(socket, "close");
}

/** @type {Row[]} */
const rows = [
  {
    what: "joins again and again",
    counts: hits("joins"),
    attack: async ({ relay }) => {
      const raw = await attacker(relay);
      const self = identity("eager");
      let answer = [];
      for (let i = 0; i < 30; i++) {
        answer = await raw.ask("ss-join", relay.address(self.id), self.key);
      }
      assert.deepEqual(answer, ["Too many joins"]);
      raw.end();
    },
  },
  {
    what: "joins, and goes, two hundred times",
    counts: "rendezvous_joins_total",
    attack: async ({ relay }) => {
      for (let i = 0; i < 200; i++) {
        const raw = await attacker(relay);
        await raw.join(`flood ${i % 7}`);
        raw.end();
      }
    },
  },
  {
    what: "opens more connections than an address may have",
    counts: hits("per-ip"),
    attack: async ({ relay }) => {
      const all = Array.from({ length: 60 }, () =>
        attacker(relay).catch((/** @type {Error} */ error) => error),
      );
      const opened = (await Promise.all(all)).filter((raw) => raw instanceof Raw);
      assert.ok(opened.length > 0 && opened.length <= 40, `${opened.length}`);
      opened.forEach((raw) => /** @type {Raw} */ (raw).end());
    },
  },
  {
    what: "opens more sockets, without a word",
    counts: hits("sockets-spare"),
    attack: async ({ relay }) => {
      const sockets = Array.from({ length: 100 }, () =>
        connect({ port: relay.port, host: "127.0.0.1", localAddress: FROM }),
      );
      sockets.forEach((socket) => socket.on("error", () => {}).resume());
      await Promise.any(sockets.map((socket) => once(socket, "close")));
      sockets.forEach((socket) => socket.destroy());
    },
  },
  {
    what: "announces a frame of a terabyte",
    counts: "rendezvous_closed_bad_total",
    attack: isClosed(1009, () => Buffer.from("82ff0000010000000000" + "00000000" + "04", "hex")),
  },
  {
    what: "sends a message in pieces without end",
    counts: "rendezvous_closed_bad_total",
    attack: isClosed(1009, () =>
      Buffer.concat([
        frame(1, "2".padEnd(60000, "a"), { first: 0x01 }),
        ...Array.from({ length: 20 }, () => frame(0, "a".repeat(60000), { first: 0x00 })),
      ]),
    ),
  },
  {
    what: "breaks the framing",
    counts: "rendezvous_broken_total",
    attack: isClosed(1002, () => frame(1, "2", { first: 0xf1 })),
  },
  {
    what: "sends an event of 100 KiB",
    counts: "rendezvous_closed_bad_total",
    attack: isClosed(0, () => text(`42["ss-join","${"a".repeat(100 * 1024)}"]`)),
  },
  {
    what: "sends JSON as deep as it goes",
    counts: "rendezvous_closed_bad_total",
    attack: isClosed(0, () => text('42["x",' + "[".repeat(30000))),
  },
  {
    what: "sends attachments that no event announced",
    counts: "rendezvous_closed_bad_total",
    attack: isClosed(0, () => frame(2, Buffer.from([4, 1, 2, 3]))),
  },
  {
    what: 'sends a chunk {"length":200000000}',
    counts: "rendezvous_ignored_total",
    attack: async ({ relay }) => {
      const { a, b } = await pair(relay, "long");
      await a.dial(b, "L");
      a.emit(`${SP}.queue.L.dialer`, { length: 200000000 });
      a.write(chunk("L.dialer", Buffer.from("x")));
      await b.says();
      assert.equal(await b.says(), "binary 0478");
      for (const raw of [a, b]) raw.end();
    },
  },
  {
    what: "asks for what is not there",
    counts: "rendezvous_http_refused_total",
    attack: async ({ relay }) => {
      for (const path of ["/nope", "/socket.io", "/../../etc/passwd", "/metrics/x"]) {
        assert.ok((await fetch(relay.url + path)).status >= 400, path);
      }
    },
  },
  {
    what: "says everything in the wrong order",
    counts: "rendezvous_dials_total_failure",
    attack: async ({ relay, victim }) => {
      const raw = await attacker(relay);
      const own = relay.address(identity("early").id);
      raw.emit(`${SP}.accept.E.dialer`);
      raw.write(chunk("E.dialer", Buffer.from("x")));
      raw.emit(`${SP}.error.E.dialer`, true);
      raw.emit("ss-leave", own);
      raw.write(Buffer.concat([text("430[]"), text('4399["no"]'), text("40"), text("1")]));
      assert.deepEqual(await raw.ask("ss-dial", own, victim.address, "E"), [
        "Not authorized for this address",
      ]);
      raw.end();
    },
  },
  {
    what: "joins with the address of another",
    counts: "rendezvous_joins_total_failure",
    attack: async ({ relay, victim }) => {
      const raw = await attacker(relay);
      const thief = identity("thief");
      assert.deepEqual(await raw.ask("ss-join", victim.address, thief.key), [{}]);
      const [error, nonce] = await raw.ask("ss-join", victim.address, identity("victim").key);
      assert.equal(error, null);
      assert.deepEqual(await raw.ask("ss-join", victim.address, thief.sign(nonce)), [
        "Signature Invalid",
      ]);
      assert.deepEqual(await raw.ask("ss-dial", victim.address, victim.address, "T"), [
        "Not authorized for this address",
      ]);
      raw.emit("ss-leave", victim.address);
      raw.end();
    },
  },
  {
    what: "guesses signatures",
    counts: hits("join-attempts"),
    attack: async ({ relay, victim }) => {
      const raw = await attacker(relay);
      const { key } = identity("victim");
      for (let i = 0; i < 2; i++) {
        const [, nonce] = await raw.ask("ss-join", victim.address, key);
        assert.equal(nonce.length, 72);
        for (let guess = 0; guess < 3; guess++) {
          const [error] = await raw.ask("ss-join", victim.address, "00".repeat(64));
          assert.equal(error, "Signature Invalid");
        }
      }
      raw.end();
    },
  },
  {
    what: "takes many addresses",
    counts: hits("addresses"),
    attack: async ({ relay }) => {
      const raw = await attacker(relay);
      for (let i = 0; i < 8; i++) await raw.join(`many ${i}`);
      await assert.rejects(raw.join("many 8"), /Too many addresses/);
      raw.end();
    },
  },
  {
    what: "joins with an address of 4,000 bytes",
    counts: hits("address-size"),
    attack: async ({ relay }) => {
      const raw = await attacker(relay);
      const self = identity("long");
      const address = `/dns4/${"a".repeat(4000)}/tcp/9090/ws/p2p-websocket-star/ipfs/${self.id}`;
      assert.deepEqual(await raw.ask("ss-join", address, self.key), ["Invalid multiaddr"]);
      raw.end();
    },
  },
  {
    what: "dials with an id of 4,000 bytes",
    counts: hits("dial-id-size"),
    attack: async ({ relay }) => {
      const { a, b } = await pair(relay, "id");
      const answer = await a.ask("ss-dial", a.address, b.address, "i".repeat(4000));
      assert.deepEqual(answer, ["Dial id too long"]);
      for (const raw of [a, b]) raw.end();
    },
  },
  {
    what: "rings and rings",
    counts: hits("ringing"),
    attack: async ({ relay }) => {
      const { a, b } = await pair(relay, "ring");
      for (let i = 0; i < 4; i++) {
        const dial = JSON.stringify(["ss-dial", a.address, b.address, `${i}`]);
        a.write(text(`42${100 + i}${dial}`));
      }
      const answer = await a.ask("ss-dial", a.address, b.address, "more");
      assert.deepEqual(answer, ["Too many unanswered dials"]);
      for (const raw of [a, b]) raw.end();
    },
  },
  {
    what: "opens streams and leaves them open",
    counts: hits("streams"),
    attack: async ({ relay }) => {
      const { a, b } = await pair(relay, "streams");
      for (let i = 0; i < 6; i++) await a.dial(b, `${i}`);
      const answer = await a.ask("ss-dial", a.address, b.address, "more");
      assert.deepEqual(answer, ["Too many streams"]);
      for (const raw of [a, b]) raw.end();
    },
  },
  {
    what: "dials twice by one id",
    counts: "rendezvous_dials_total_failure",
    attack: async ({ relay }) => {
      const { a, b } = await pair(relay, "twice");
      await a.dial(b, "once");
      const answer = await b.ask("ss-dial", b.address, a.address, "once");
      assert.deepEqual(answer, ["Dial id already in use"]);
      for (const raw of [a, b]) raw.end();
    },
  },
];

/** What takes its time: the relay has short ones here. @type {Row[]} */
const slowRows = [
  {
    what: "keeps silent",
    counts: "rendezvous_closed_idle_total",
    attack: async ({ relay }) => {
      const raw = await attacker(relay);
      assert.equal(await raw.says(), "close 0");
      raw.end();
    },
  },
  {
    what: "connects and says nothing",
    counts: "rendezvous_sockets",
    attack: ({ relay }) => halfOpen(relay, ""),
  },
  {
    what: "stops in the middle of a head",
    counts: "rendezvous_sockets",
    attack: ({ relay }) => halfOpen(relay, "GET /socket.io/?EIO=3 HTTP/1.1\r\nHost: x\r\nX: "),
  },
  {
    what: "does not answer who dials it",
    counts: hits("dial-timeout"),
    attack: async ({ relay }) => {
      const { a, b } = await pair(relay, "mute");
      const alive = setInterval(() => [a, b].forEach((raw) => raw.write(text("2"))), 200);
      const answer = await a.ask("ss-dial", a.address, b.address, "D");
      clearInterval(alive);
      assert.deepEqual(answer, ["Dial timed out"]);
      for (const raw of [a, b]) raw.end();
    },
  },
];

/**
 * Runs each attack beside two clients with a stream.
 * @param {string} name
 * @param {string[]} limits
 * @param {Row[]} table
 */
function attacks(name, limits, table) {
  describe(name, LIMIT, () => {
    /** @type {Relay} */
    let relay;
    /** @type {Raw} */
    let good;
    /** @type {Raw} */
    let victim;
    /** @type {ReturnType<typeof setInterval>} */
    let alive;
    let calls = 0;

    before(async () => {
      relay = await Relay.start("ours", ...limits.flatMap((limit) => ["--limit", limit]));
      good = await Raw.open(relay);
      victim = await Raw.open(relay);
      alive = setInterval(() => [good, victim].forEach((raw) => raw.write(text("2"))), 200);
      await good.join("good");
      await victim.join("victim");
    });
    after(async () => {
      clearInterval(alive);
      for (const raw of [good, victim]) raw.end();
      assert.equal(await relay.down(), 0, relay.stderr);
    });

    /** What a client hears that was not its own sign of life. @param {Raw} raw */
    const says = async (raw) => {
      let said = await raw.says();
      while (said === "3") said = await raw.says();
      return said;
    };

    /** @param {string} series */
    const metric = async (series) => {
      const page = await (await fetch(`${relay.url}/metrics`)).text();
      const line = page.split("\n").find((one) => one.startsWith(`${series} `));
      assert.ok(line, `/metrics has ${series}`);
      return Number(line.slice(series.length));
    };

    for (const { what, counts, attack } of table) {
      test(`a stranger who ${what} is answered and counted, and harms nobody`, async () => {
        const earlier = await metric(counts);
        await attack({ relay, victim });
        // He hears of his end before the relay has counted it. A gauge is where it was again.
        const isCounted = (/** @type {number} */ now) =>
          counts === "rendezvous_sockets" ? now === earlier : now > earlier;
        await until(async () => isCounted(await metric(counts)));
        const call = `call ${calls++}`;
        const dialed = good.ask("ss-dial", good.address, victim.address, call);
        const ring = /^42(\d+)\["ss-incomming"/.exec(await says(victim));
        assert.ok(ring, "the victim has its address");
        victim.write(text(`43${ring[1]}[]`));
        assert.deepEqual(await dialed, []);
        good.emit(`${SP}.accept.${call}.listener`);
        victim.emit(`${SP}.accept.${call}.dialer`);
        good.emit(`${SP}.error.${call}.dialer`, true);
        victim.emit(`${SP}.error.${call}.listener`, true);
        for (const raw of [good, victim]) {
          while (!(await says(raw)).includes(`.error.${call}.`)) {
            // until the other's end is told, and the relay has forgotten the stream
          }
        }
      });
    }
  });
}

attacks(
  "a hostile stranger",
  ["joins=25", "per-ip=40", "sockets-spare=8", "ringing=4", "streams=6"],
  rows,
);
attacks(
  "a stranger who takes his time",
  ["ping-interval=700", "ping-timeout=300", "head-timeout=1000", "dial-timeout=1000"],
  slowRows,
);
