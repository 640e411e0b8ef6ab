// Raw frames at our relay and, where it is the same, at npm's: errors, bad input, keep-alive.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { Relay, relays } from "./support/relay.mjs";
import { Raw, binary, chunk, frame, identity, text } from "./support/raw.mjs";

const LIMIT = { timeout: 60000 };
const SP = "socket.io-pull-stream";
const zeros = (/** @type {number} */ n) => Buffer.alloc(n);
const hex = (/** @type {string} */ bytes) => Buffer.from(bytes, "hex");
const placeholder = '{"_placeholder":true,"num":0}';

/** What closes a connection, and the code of the Close frame (0: none in it). */
/** @type {[string, Buffer, number][]} */
const closing = [
  ["an empty text", text(""), 0],
  ["an unknown engine.io type", text("9"), 0],
  ["a type that is no digit", text("x"), 0],
  ["broken JSON", text('42["ss-join"'), 0],
  ["an object as event", text('42{"a":1}'), 0],
  ["an empty event", text("42[]"), 0],
  ["an event without a name", text("42[null]"), 0],
  [
    "a text where an attachment was due",
    Buffer.concat([text(`451-["a",${placeholder}]`), text('42["b"]')]),
    0,
  ],
  ["an attachment without header", binary("zz"), 0],
  ["no attachments", text('450-["a"]'), 0],
  ["eleven attachments", text('4511-["a"]'), 0],
  ["a missing dash", text('451["a"]'), 0],
  ["an ack that is no array", text("430{}"), 0],
  ["a reserved bit", frame(1, "2", { first: 0xc1 }), 1002],
  ["a reserved opcode", frame(3, ""), 1002],
  ["a continuation of nothing", frame(0, ""), 1002],
  ["text that is not UTF-8", frame(1, hex("3432fffe")), 1007],
  ["a message of 1,000,001 bytes", text("2".padEnd(1000001, "a")), 1009],
];

/** What is ignored: a ping afterwards is answered. */
/** @type {[string, Buffer][]} */
const ignored = [
  ["engine.io's close", text("1")],
  ["an unknown socket.io type", text("48")],
  ["an event without payload", text("42")],
  ["a number as name", text("42[1]")],
  ["an empty binary message", frame(2, "")],
  ["an unknown binary type", frame(2, hex("09"))],
  ["another namespace's event", text('42/foo,["x"]')],
  ["an ack nobody waits for", text("43999[]")],
  ["an error packet", text('44"boom"')],
  [
    "events with famous names",
    Buffer.concat(["error", "__proto__", "newListener"].map((name) => text(`42["${name}",1]`))),
  ],
  ["a dial without arguments", text('42["ss-dial"]')],
  ["a join of wrong types", text('420["ss-join",1,2]')],
  ["leaving what was not joined", text('42["ss-leave","/ip4/1.1.1.1"]')],
  ["a chunk for no stream", chunk("nothing.dialer", zeros(10))],
];

for (const kind of relays) {
  describe(`raw frames at ${kind === "ours" ? "our relay" : "npm's relay"}`, LIMIT, () => {
    /** @type {Relay} */
    let relay;
    before(async () => void (relay = await Relay.start(kind)));
    after(async () => assert.equal(await relay.down(), 0, relay.stderr));

    for (const [what, bytes, code] of closing) {
      test(`closes on ${what}`, async () => {
        const raw = await Raw.open(relay);
        raw.write(bytes);
        assert.equal(await raw.says(), `close ${code}`);
        raw.end();
      });
    }

    for (const [what, bytes] of ignored) {
      test(`ignores ${what}`, async () => {
        const raw = await Raw.open(relay);
        raw.write(bytes);
        raw.write(text("2"));
        assert.equal(await raw.says(), "3");
        raw.end();
      });
    }

    test("refuses wrong joins in the words of the protocol", async () => {
      const raw = await Raw.open(relay);
      const a = identity("a");
      const address = relay.address(a.id);
      const joining = async (/** @type {string[]} */ ...args) =>
        (await raw.ask("ss-join", ...args))[0];
      assert.equal(
        await joining(`/ip4/127.0.0.1/tcp/1/ws/ipfs/${a.id}`, a.key),
        "Invalid multiaddr",
      );
      assert.equal(await joining(address, ""), "Crypto Challenge required but no Id provided");
      assert.deepEqual(await joining(address, identity("b").key), {});
      assert.deepEqual(await joining(address, "0801"), {});
      assert.equal(await joining(address, a.key), null);
      assert.equal(await joining(address, "00".repeat(64)), "Signature Invalid");
      assert.equal(await joining(address, "0000"), "Crypto error");
      raw.end();
    });

    test("refuses wrong dials and passes a listener's refusal on", async () => {
      const a = await Raw.open(relay);
      const b = await Raw.open(relay);
      await a.join("dialer");
      await b.join("listener");
      const absent = relay.address(identity("absent").id);
      assert.deepEqual(await a.ask("ss-dial", a.address, absent, "1"), ["Peer not found"]);
      assert.deepEqual(await a.ask("ss-dial", b.address, a.address, "2"), [
        "Not authorized for this address",
      ]);
      const dialed = a.ask("ss-dial", a.address, b.address, "3");
      const ring = /^42(\d+)\["ss-incomming","3"/.exec(await b.says());
      assert.ok(ring);
      b.write(text(`43${ring[1]}["refused!"]`));
      assert.deepEqual(await dialed, ["refused!"]);
      a.end();
      b.end();
    });

    test("passes chunks on byte for byte, with base64 and empty ones", async () => {
      const a = await Raw.open(relay);
      const b = await Raw.open(relay);
      await a.join("sender");
      await b.join("reader");
      await a.dial(b, "S");
      const header = `451-["${SP}.queue.S.dialer",${placeholder}]`;
      for (const [bytes, wire] of /** @type {[Buffer, string][]} */ ([
        [chunk("S.dialer", Buffer.from("hello")), "0468656c6c6f"],
        [chunk("S.dialer", zeros(0)), "04"],
        [chunk("S.dialer", zeros(300)), "04" + "00".repeat(300)],
        [Buffer.concat([text(header), text("b4aGVsbG8=")]), "0468656c6c6f"],
      ])) {
        a.write(bytes);
        assert.equal(await b.says(), header);
        assert.equal(await b.says(), `binary ${wire}`);
      }
      b.write(text("41"));
      assert.equal(await b.says(), `42["${SP}.error.S.dialer",true]`);
      assert.equal(await a.says(), `42["${SP}.error.S.listener",true]`);
      a.end();
      b.end();
    });

    test("answers pings of both layers", async () => {
      const raw = await Raw.open(relay);
      raw.write(text("2probe"));
      assert.equal(await raw.says(), "3");
      raw.write(frame(9, "pp"));
      assert.deepEqual(await raw.next(), { kind: "pong", text: "pp" });
      raw.write(Buffer.concat([frame(1, "2", { first: 0x01 }), frame(0, "xy")]));
      assert.equal(await raw.says(), "3");
      raw.write(text("40/foo"));
      assert.equal(await raw.says(), '44/foo,"Invalid namespace"');
      raw.end();
    });

    test("sends base64 to who asks for it", async () => {
      const a = await Raw.open(relay);
      const b = await Raw.open(relay, "EIO=3&transport=websocket&b64=1");
      await a.join("64 from");
      await b.join("64 to");
      await a.dial(b, "T");
      a.write(chunk("T.dialer", Buffer.from("hello")));
      await b.says();
      assert.equal(await b.says(), "b4aGVsbG8=");
      a.end();
      b.end();
    });

    test("answers HTTP that wants no websocket", async () => {
      for (const [path, status, message] of /** @type {[string, number, string][]} */ ([
        ["/socket.io/?EIO=3&transport=nope", 400, "Transport unknown"],
        ["/socket.io/?EIO=3&transport=websocket", 400, "Bad request"],
        ["/socket.io/?EIO=3&transport=websocket&sid=x", 400, "Session ID unknown"],
      ])) {
        const response = await fetch(relay.url + path);
        assert.equal(response.status, status);
        assert.equal(/** @type {any} */ (await response.json()).message, message);
      }
      const page = await fetch(relay.url + "/");
      assert.equal(page.status, 200);
      assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
    });

    test("drops an upgrade on another path without a word", async () => {
      const socket = connect(relay.port, "127.0.0.1");
      let heard = "";
      socket.on("data", (data) => (heard += data));
      socket.write(
        "GET /nope HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
      );
      await once(socket, "close");
      assert.equal(heard, "");
    });
  });
}

describe("our relay, where npm's has none or fails", LIMIT, () => {
  /** @type {Relay} */
  let relay;
  before(async () => void (relay = await Relay.start("ours", "--limit", "stall=2000")));
  after(async () => assert.equal(await relay.down("SIGTERM"), 0, relay.stderr));

  /** @param {string} name */
  const metric = async (name) => {
    const page = await (await fetch(`${relay.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(page)?.[1]);
  };

  test("knows nothing of unknown paths and lives on", async () => {
    const response = await fetch(`${relay.url}/nope`);
    assert.equal(response.status, 404);
    assert.deepEqual(await response.json(), {
      statusCode: 404,
      error: "Not Found",
      message: "Not Found",
    });
    assert.deepEqual(await (await fetch(`${relay.url}/health`)).json(), { status: "ok" });
  });

  test("takes /p2p/ for /ipfs/", async () => {
    const raw = await Raw.open(relay);
    const self = identity("p2p");
    const address = relay.address(self.id).replace("/ipfs/", "/p2p/");
    const [error, nonce] = await raw.ask("ss-join", address, self.key);
    assert.equal(error, null);
    assert.equal((await raw.ask("ss-join", address, self.sign(nonce)))[0], null);
    assert.equal(await metric("rendezvous_peers"), 1);
    raw.end();
  });

  test("is not stalled by an array that claims to be long, nor by deep JSON", async () => {
    const a = await Raw.open(relay);
    const b = await Raw.open(relay);
    await a.join("liar");
    await b.join("victim");
    await a.dial(b, "L");
    a.emit(`${SP}.queue.L.dialer`, { length: 200000000 });
    a.write(chunk("L.dialer", Buffer.from("x")));
    await b.says();
    assert.equal(await b.says(), "binary 0478");
    a.write(text('42["x",' + "[".repeat(20000) + "]".repeat(20000) + "]"));
    assert.equal(await a.says(), "close 0");
    assert.equal(await b.says(), `42["${SP}.error.L.dialer",true]`);
    a.end();
    b.end();
  });

  test("pauses who sends to a slow reader, bounds what waits, and loses nothing", async () => {
    const a = await Raw.open(relay);
    const b = await Raw.open(relay);
    const c = await Raw.open(relay);
    await a.join("fast");
    await b.join("slow");
    await c.join("bystander");
    await a.dial(b, "P");
    b.socket.pause();
    let sent = 0;
    while ((await metric("rendezvous_paused_connections")) === 0) {
      for (let i = 0; i < 64; i++, sent++) a.write(chunk("P.dialer", zeros(16384)));
    }
    assert.ok((await metric("rendezvous_queue_bytes")) < 2 * 1024 * 1024);
    c.write(text("2"));
    assert.equal(await c.says(), "3");
    b.socket.resume();
    for (let i = 0; i < sent; i++) {
      await b.says();
      assert.equal((await b.says()).length, "binary 04".length + 2 * 16384);
    }
    assert.equal(await metric("rendezvous_paused_connections"), 0);
    for (const raw of [a, b, c]) raw.end();
  });

  test("ends a stream whose reader stays away, and no other", async () => {
    const a = await Raw.open(relay);
    const b = await Raw.open(relay);
    const c = await Raw.open(relay);
    await a.join("sends to both");
    await b.join("sleeps");
    await c.join("listens");
    await a.dial(b, "Q");
    await a.dial(c, "R");
    b.socket.pause();
    while ((await metric("rendezvous_paused_connections")) === 0) {
      for (let i = 0; i < 64; i++) a.write(chunk("Q.dialer", zeros(16384)));
    }
    a.write(chunk("R.dialer", Buffer.from("late")));
    await c.says(); // after the stall of 2 s that this relay allows
    assert.equal(await c.says(), `binary 04${Buffer.from("late").toString("hex")}`);
    assert.equal(await metric("rendezvous_streams_cut_total"), 1);
    for (const raw of [a, b, c]) raw.end();
  });

  test("serves others while one connection after the other misbehaves", async () => {
    const good = await Raw.open(relay);
    await good.join("good");
    for (const [, bytes] of [...closing, ...ignored]) {
      const bad = await Raw.open(relay);
      bad.write(bytes);
      bad.end();
    }
    for (const bytes of [
      "\x00\xff".repeat(40),
      "asdf\r\n\r\n",
      `GET / HTTP/1.1\r\nX: ${"a".repeat(100000)}\r\n\r\n`,
    ]) {
      const socket = connect(relay.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.resume();
      socket.end(Buffer.from(bytes, "latin1"));
      await once(socket, "close");
    }
    good.write(text("2"));
    assert.equal(await good.says(), "3");
    good.end();
  });
});
