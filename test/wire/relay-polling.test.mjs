// Long polling, as engine.io 3 does it: bodies byte for byte, and npm's client over it, alone and with
// the upgrade to a websocket; at our relay and, as a control, at npm's.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { Relay, relays } from "./support/relay.mjs";
import { Raw, binary, chunk, frame, identity, text } from "./support/raw.mjs";
import { Peer, bounce, receive } from "./support/star.mjs";

const LIMIT = { timeout: 60000 };
const require = createRequire(import.meta.url);
const io = createRequire(require.resolve("libp2p-websocket-star"))("socket.io-client");
const ERRORS = {
  transport: { code: 0, message: "Transport unknown" },
  sid: { code: 1, message: "Session ID unknown" },
  method: { code: 2, message: "Bad handshake method" },
  request: { code: 3, message: "Bad request" },
};

/** @param {...string} packets */
const payload = (...packets) => packets.map((packet) => `${packet.length}:${packet}`).join("");

/** @param {...(string | Buffer)} packets */
const bytes = (...packets) =>
  Buffer.concat(
    packets.map((packet) => {
      const body = Buffer.from(packet);
      const digits = [...String(body.length)].map(Number);
      return Buffer.concat([
        Buffer.from([typeof packet === "string" ? 0 : 1, ...digits, 255]),
        body,
      ]);
    }),
  );

/** A session of long polling by hand. */
class Poller {
  /** @param {Relay} relay @param {string} extra of the query */
  constructor(relay, extra = "") {
    this.base = `${relay.url}/socket.io/?EIO=3&transport=polling${extra}`;
    this.sid = "";
    this.type = "";
  }

  /** @param {Relay} relay */
  static async open(relay, extra = "") {
    const poller = new Poller(relay, extra);
    const first = await poller.get();
    const open = /^\d+:0(\{.*\})2:40$/.exec(first);
    assert.ok(open, first);
    poller.sid = JSON.parse(open[1]).sid;
    return poller;
  }

  get url() {
    return this.base + (this.sid && `&sid=${this.sid}`);
  }

  async get() {
    const response = await fetch(this.url);
    this.type = response.headers.get("content-type") ?? "";
    return Buffer.from(await response.arrayBuffer()).toString("latin1");
  }

  /** A GET that waits at the relay: what was asked after it has been answered. */
  async waits() {
    const answer = this.get();
    await (await fetch(new URL("/", this.base))).arrayBuffer();
    return { answer };
  }

  /** @param {string | Buffer} body */
  async post(body) {
    const type = typeof body === "string" ? "text/plain;charset=UTF-8" : "application/octet-stream";
    const headers = { "content-type": type };
    const response = await fetch(this.url, {
      method: "POST",
      headers,
      body: typeof body === "string" ? body : new Uint8Array(body),
    });
    return `${response.status} ${await response.text()}`;
  }

  async status() {
    const response = await fetch(this.url);
    return [response.status, await response.json()];
  }
}

for (const kind of relays) {
  describe(`long polling at ${kind === "ours" ? "our relay" : "npm's relay"}`, LIMIT, () => {
    /** @type {Relay} */
    let relay;
    before(async () => void (relay = await Relay.start(kind)));
    after(async () => assert.equal(await relay.down(), 0, relay.stderr));

    test("opens with a cookie, CORS headers and an offer to upgrade", async () => {
      const poller = new Poller(relay);
      const response = await fetch(poller.url, { headers: { origin: "http://page.example" } });
      assert.equal(response.status, 200);
      const body = await response.text();
      const sid = /"sid":"([\w-]{20})"/.exec(body)?.[1];
      const open = `0{"sid":"${sid}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}`;
      assert.equal(body, payload(open, "40"));
      const wanted = {
        "content-type": "text/plain; charset=UTF-8",
        "content-length": String(body.length),
        "set-cookie": `io=${sid}; Path=/; HttpOnly; SameSite=Strict`,
        "access-control-allow-origin": "http://page.example",
        "access-control-allow-credentials": "true",
      };
      for (const [name, value] of Object.entries(wanted)) {
        assert.equal(response.headers.get(name), value);
      }
      assert.equal((await fetch(poller.url)).headers.get("access-control-allow-origin"), "*");
    });

    test("answers a preflight of a session, and of no session", async () => {
      const poller = await Poller.open(relay);
      const headers = { origin: "http://page.example" };
      const preflight = await fetch(poller.url, { method: "OPTIONS", headers });
      assert.equal(preflight.status, 200);
      assert.equal(preflight.headers.get("access-control-allow-headers"), "Content-Type");
      assert.equal(preflight.headers.get("access-control-allow-origin"), "http://page.example");
      const stray = await fetch(poller.base, { method: "OPTIONS", headers });
      assert.deepEqual([stray.status, await stray.json()], [400, ERRORS.method]);
    });

    test("names what is wrong with a request", async () => {
      const poller = await Poller.open(relay);
      const at = (/** @type {string} */ query) => `${relay.url}/socket.io/?EIO=3&${query}`;
      for (const [method, url, error] of /** @type {[string, string, object][]} */ ([
        ["GET", at("transport=carrier-pigeon"), ERRORS.transport],
        ["GET", at("sid=x"), ERRORS.transport],
        ["GET", at("transport=polling&sid=x"), ERRORS.sid],
        ["POST", at("transport=polling&sid=x"), ERRORS.sid],
        ["POST", at("transport=polling"), ERRORS.method],
        ["GET", at(`transport=websocket&sid=${poller.sid}`), ERRORS.request],
      ])) {
        const response = await fetch(url, { method });
        assert.deepEqual([response.status, await response.json()], [400, error], url);
      }
      const put = await fetch(poller.url, { method: "PUT" });
      assert.deepEqual([put.status, await put.text()], [500, ""]);
      assert.equal(await poller.post("1:2"), "200 ok", "the session lives on");
    });

    test("answers pings in bodies of text and of bytes", async () => {
      const poller = await Poller.open(relay);
      assert.equal(await poller.post(payload("2")), "200 ok");
      assert.equal(await poller.get(), "1:3");
      const waiting = poller.get();
      assert.equal(await poller.post(bytes("2probe", "2")), "200 ok");
      assert.equal((await waiting) + (await drain(poller, "1:31:3", await waiting)), "1:31:3");
      await poller.post(payload("42", "6", "3", "2"));
      assert.equal(await poller.get(), "1:3");
    });

    /** The rest of what is waited for. @param {Poller} poller @param {string} all @param {string} got */
    async function drain(poller, all, got) {
      let rest = "";
      while (got.length + rest.length < all.length) rest += await poller.get();
      return rest;
    }

    test("counts texts as JavaScript does", async () => {
      const poller = await Poller.open(relay);
      for (const space of ["plain", "žluťoučký", "日本語", "🦆🦆", "a🦆b"]) {
        await poller.post(payload(`40/${space}`, "2"));
        const wanted = payload(`44/${space},"Invalid namespace"`, "3");
        let got = "";
        while (Buffer.from(got, "latin1").toString().length < wanted.length) {
          got += await poller.get();
        }
        assert.equal(Buffer.from(got, "latin1").toString(), wanted);
      }
    });

    test("carries a stream of bytes both ways, to and from a websocket", async () => {
      for (const extra of ["", "&b64=1"]) {
        const poller = await Poller.open(relay, extra);
        const self = identity(`polls${extra}`);
        const address = relay.address(self.id);
        const raw = await Raw.open(relay);
        await raw.join(`dials${extra}`);
        await poller.post(payload(`420["ss-join","${address}","${self.key}"]`));
        const nonce = /null,"([\w-]{72})"/.exec(await poller.get())?.[1] ?? "";
        await poller.post(payload(`421["ss-join","${address}","${self.sign(nonce)}"]`));
        assert.match(await poller.get(), /431\[null,null,\[.*\]\]$/);
        const dialed = raw.ask("ss-dial", raw.address, address, "P");
        let ring = "";
        while (!ring.includes("ss-incomming")) ring = await poller.get();
        const ack = /42(\d+)\["ss-incomming"/.exec(ring)?.[1];
        const SP = "socket.io-pull-stream";
        await poller.post(payload(`42["${SP}.accept.P.dialer"]`, `43${ack}[]`));
        assert.deepEqual(await dialed, []);
        raw.emit(`${SP}.accept.P.listener`);
        assert.equal(await poller.get(), payload(`42["${SP}.accept.P.listener"]`));

        const header = (/** @type {string} */ side) =>
          `451-["${SP}.queue.P.${side}",{"_placeholder":true,"num":0}]`;
        raw.write(chunk("P.dialer", Buffer.from("caf\u00e9 \u0000\u00ff", "latin1")));
        let got = "";
        const wanted = extra
          ? payload(
              header("dialer"),
              `b4${Buffer.from("caf\u00e9 \u0000\u00ff", "latin1").toString("base64")}`,
            )
          : bytes(header("dialer"), Buffer.from("\u0004caf\u00e9 \u0000\u00ff", "latin1")).toString(
              "latin1",
            );
        while (got.length < wanted.length) got += await poller.get();
        assert.equal(got, wanted);
        if (!extra) assert.equal(poller.type, "application/octet-stream");

        const hello = Buffer.from("\u0004hello", "latin1");
        const body = extra
          ? payload(header("listener"), `b4${hello.subarray(1).toString("base64")}`)
          : bytes(header("listener"), hello);
        assert.equal(await poller.post(body), "200 ok");
        assert.equal(await raw.says(), `42["${SP}.accept.P.dialer"]`);
        assert.equal(await raw.says(), header("listener"));
        assert.equal(await raw.says(), "binary " + hello.toString("hex"));
        raw.end();
        await poller.post(payload("1"));
      }
    });

    test("ends a session that says goodbye, and the GET that waits", async () => {
      const poller = await Poller.open(relay);
      const waiting = await poller.waits();
      assert.equal(await poller.post(payload("1")), "200 ok");
      assert.equal(await waiting.answer, "1:6");
      assert.deepEqual(await poller.status(), [400, ERRORS.sid]);
    });

    for (const [what, body] of /** @type {[string, string | Buffer][]} */ ([
      ["no length", "abc"],
      ["no packet", ""],
      ["a length that is too long", "5:2"],
      ["an empty length", ":2"],
      ["an unknown type", "1:9"],
      ["an attachment without header", bytes(Buffer.from([4, 1, 2]))],
      ["broken JSON", payload('42["x"')],
    ])) {
      test(`ends a session on a body with ${what}`, async () => {
        const poller = await Poller.open(relay);
        const waiting = await poller.waits();
        assert.equal(await poller.post(body), "200 ok");
        assert.equal(await waiting.answer, "1:1");
        assert.deepEqual(await poller.status(), [400, ERRORS.sid]);
      });
    }

    test("ends a session with two GETs or two POSTs at once", async () => {
      const twice = await Poller.open(relay);
      const answers = await Promise.all([fetch(twice.url), fetch(twice.url)]);
      const seen = await Promise.all(answers.map(async (a) => `${a.status} ${await a.text()}`));
      assert.deepEqual(seen.sort(), ["200 1:1", "500 "]);
      assert.deepEqual(await twice.status(), [400, ERRORS.sid]);

      const poller = await Poller.open(relay);
      const waiting = poller.get();
      const slow = connect(relay.port, "127.0.0.1");
      slow.on("error", () => {});
      const cut = once(slow.resume(), "close");
      slow.write(
        `POST ${poller.url.slice(relay.url.length)} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1`,
      );
      // Once the relay has read it, a second one is one too many; before, it is the first.
      while ((await poller.post("1:2").catch(() => "cut")) === "200 ok");
      assert.match(await waiting, /^(1:3)*1:1$|^1:3/);
      await cut;
      assert.deepEqual(await poller.status(), [400, ERRORS.sid]);
    });

    test("cuts off a body above 1,000,000 bytes", async () => {
      const poller = await Poller.open(relay);
      const most = payload("2".padEnd(999993, "x"));
      assert.equal(most.length, 1000000);
      assert.equal(await poller.post(most), "200 ok");
      await assert.rejects(poller.post(most + "x"));
      assert.deepEqual(await poller.status(), [400, ERRORS.sid]);
    });

    test("frees the address of a client whose GET breaks off", async () => {
      const poller = await Poller.open(relay);
      const gone = new AbortController();
      const waiting = fetch(poller.url, { signal: gone.signal });
      while ((await poller.post("1:6").catch(() => "")) !== "200 ok");
      gone.abort();
      await assert.rejects(waiting);
      while (
        (await fetch(poller.url, { method: "POST", body: "1:6" }).catch(() => ({ status: 0 })))
          .status === 200
      );
      assert.deepEqual(await poller.status(), [400, ERRORS.sid]);
    });

    /** @param {Poller} poller */
    async function upgrade(poller) {
      const raw = new Raw(relay);
      await once(raw.socket, "connect");
      raw.socket.write(
        `GET ${poller.url.slice(relay.url.length).replace("polling", "websocket")} HTTP/1.1\r\n` +
          "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
          `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
      );
      return raw;
    }

    test("upgrades by 2probe, 3probe and 5, and what waited is there", async () => {
      const poller = await Poller.open(relay);
      const raw = await upgrade(poller);
      const waiting = poller.get();
      raw.write(text("2probe"));
      assert.equal(await raw.says(), "3probe");
      assert.equal(await waiting, "1:6", "the GET ends, so that the client can go on");
      await poller.post(payload("2"));
      raw.write(text("5"));
      assert.equal(await raw.says(), "3");
      raw.write(text("2"));
      assert.equal(await raw.says(), "3");
      assert.deepEqual(await poller.status(), [400, ERRORS.request]);
      const second = await upgrade(poller);
      assert.equal(await second.says(), "close 0");
      second.end();
      raw.write(text("2"));
      assert.equal(await raw.says(), "3", "not disturbed by the second");
      raw.end();
    });

    test("drops a websocket that does not probe as it should, and polls on", async () => {
      const poller = await Poller.open(relay);
      for (const wrong of [text("2"), text("40"), binary("zz"), frame(1, "")]) {
        const raw = await upgrade(poller);
        raw.write(wrong);
        assert.equal(await raw.says(), "close 0");
        raw.end();
      }
      await poller.post(payload("2"));
      assert.equal(await poller.get(), "1:3");
      const first = await upgrade(poller);
      first.write(text("2probe"));
      assert.equal(await first.says(), "3probe");
      const second = await upgrade(poller);
      assert.equal(await second.says(), "close 0", "one at a time");
      second.end();
      first.end();
    });

    test("refuses a websocket for a session that nobody has", async () => {
      const poller = new Poller(relay);
      poller.sid = "aaaaaaaaaaaaaaaaaaaa";
      const socket = connect(relay.port, "127.0.0.1");
      let heard = "";
      socket.on("data", (data) => (heard += data));
      socket.write(
        `GET /socket.io/?transport=websocket&sid=${poller.sid} HTTP/1.1\r\nHost: x\r\n` +
          "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
      );
      await once(socket, "close");
      assert.match(heard, /^HTTP\/1\.[01] 400 Bad Request\r\n/);
      assert.match(heard, /\r\n\r\nSession ID unknown$/);
    });
  });

  for (const transports of [["polling", "websocket"], ["polling"]]) {
    const title = `npm's client with ${transports.join(", then ")}`;
    describe(`${title}, at ${kind === "ours" ? "our relay" : "npm's relay"}`, LIMIT, () => {
      const websocketOnly = io.connect;
      /** @type {Relay} */
      let relay;
      before(async () => {
        relay = await Relay.start(kind);
        io.connect = (/** @type {string} */ url, /** @type {object} */ options) =>
          websocketOnly(url, { ...options, transports, forceBase64: transports.length === 1 });
      });
      after(async () => {
        io.connect = websocketOnly;
        assert.equal(await relay.down(), 0, relay.stderr);
      });

      // A client that only polls puts all it has into one body, which npm's relay bounds.
      const size = transports.length > 1 ? 1024 * 1024 : 256 * 1024;

      test(`joins, discovers, gets ${size} bytes back, and hears the end`, async () => {
        const a = await Peer.join(relay);
        const b = await Peer.join(relay);
        await Promise.all([a.discovers(b), b.discovers(a)]);
        if (transports.length > 1) {
          for (const peer of [a, b]) {
            const { engine } = peer.listener.io.io;
            if (engine.transport.name !== "websocket") await once(engine, "upgrade");
          }
        }
        const sent = randomBytes(size);
        assert.ok((await bounce(a, b, sent)).equals(sent));
        const last = receive(await a.dial(b));
        await b.connections.next();
        await b.close();
        assert.equal((await last).length, 0);
        await assert.rejects(a.dial(b), /Peer not found/);
        a.end();
      });
    });
  }
}
