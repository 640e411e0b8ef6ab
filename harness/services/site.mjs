/**
 * A small web server for tests of the worker: serves what nginx serves, without a client, and lets a
 * test change the module under a running page. The conversations of test/client are there as well, for
 * a page to hold.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { Transform } from "node:stream";
import { WebSocketServer } from "ws";

const PORT_FIRST = Number(process.env.SITE_PORT ?? 18510);
const PORTS = 80;
const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title>
<link rel="icon" href="data:,">`;

/** @typedef {{ status: number, type: string, bytes: Buffer }} Answer */

export class Site {
  /** @type {string | null} file of the module; null: there is none */
  wasm = null;
  /** @type {string} file of the worker */
  worker;
  /** @type {unknown} */
  config = {};
  /** How often each path was asked for, and with what status it was answered. */
  /** @type {{ path: string, status: number }[]} */
  asked = [];
  /** What came in over the websocket, and what `say` sends to all. */
  /** @type {(string | Buffer)[]} */
  heard = [];
  /** When set, the websocket does not read. */
  #deaf = false;
  #server;
  #sockets;
  /** @type {Set<import("node:stream").Duplex>} workers' connections to the relay */
  #relayed = new Set();
  /** How many bytes more of what the relay says reach a worker. */
  #left = Infinity;
  /** @type {(() => void)[]} what waits */
  #waiting = [];
  port = 0;
  /** How many websockets of workers were ever opened. */
  opened = 0;
  /** @type {number | null} where /socket.io/ goes */
  relayPort = null;

  /** @param {string} worker */
  constructor(worker) {
    this.worker = worker;
    this.#server = http.createServer((request, response) => void this.#serve(request, response));
    this.#sockets = new WebSocketServer({ noServer: true });
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#sockets.on("connection", (socket) => {
      this.opened += 1;
      if (this.#deaf) {
        socket.pause();
      }
      socket.on("message", (data, isBinary) => {
        this.heard.push(isBinary ? /** @type {Buffer} */ (data) : data.toString());
      });
      socket.on("error", () => {});
    });
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {import("node:stream").Duplex} socket
   * @param {Buffer} head
   */
  #upgrade(request, socket, head) {
    const path = request.url ?? "/";
    if (path === "/socket") {
      this.#sockets.handleUpgrade(request, socket, head, (opened) => {
        this.#sockets.emit("connection", opened, request);
      });
    } else if (path.startsWith("/socket.io/") && this.relayPort !== null) {
      const relay = net.connect(this.relayPort, "127.0.0.1");
      let lines = `${request.method} ${path} HTTP/1.1\r\n`;
      for (let i = 0; i < request.rawHeaders.length; i += 2) {
        lines += `${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}\r\n`;
      }
      relay.write(`${lines}\r\n`);
      relay.write(head);
      socket.pipe(relay).pipe(this.#valve()).pipe(socket);
      this.#relayed.add(socket);
      const gone = () => {
        relay.destroy();
        socket.destroy();
        this.#relayed.delete(socket);
      };
      for (const end of [socket, relay]) {
        end.on("error", gone).on("close", gone);
      }
    } else {
      socket.destroy();
    }
  }

  get origin() {
    return `http://localhost:${this.port}`;
  }

  async start() {
    for (let port = PORT_FIRST; port < PORT_FIRST + PORTS; port++) {
      if (await this.#listen(port)) {
        this.port = port;
        return this;
      }
    }
    throw new Error(`no port is free from ${PORT_FIRST} on`);
  }

  /**
   * @param {number} port
   * @returns {Promise<boolean>}
   */
  #listen(port) {
    return new Promise((resolve) => {
      this.#server.once("error", () => resolve(false));
      this.#server.listen(port, "127.0.0.1", () => resolve(true));
    });
  }

  async stop() {
    this.#sockets.clients.forEach((socket) => socket.terminate());
    this.#relayed.forEach((socket) => socket.destroy());
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** @param {string | Buffer} message to all connected */
  say(message) {
    this.#sockets.clients.forEach((socket) => socket.send(message));
  }

  get connections() {
    return this.#sockets.clients.size;
  }

  /** How many connections to the relay workers have. */
  get relayed() {
    return this.#relayed.size;
  }

  /** @param {number} bytes of what the relay says that still reach a worker; the rest waits for `flow` */
  holdAfter(bytes) {
    this.#left = bytes;
  }

  get isHolding() {
    return this.#waiting.length > 0;
  }

  flow() {
    this.#left = Infinity;
    this.#waiting.splice(0).forEach((pass) => pass());
  }

  #valve() {
    const valve = new Transform({
      transform: (piece, _, done) => {
        const first = piece.subarray(0, this.#left);
        const rest = piece.subarray(first.length);
        this.#left -= first.length;
        if (rest.length === 0) {
          done(null, first);
        } else {
          if (first.length > 0) {
            valve.push(first);
          }
          this.#waiting.push(() => done(null, rest));
        }
      },
    });
    return valve;
  }

  hangUp() {
    this.#sockets.clients.forEach((socket) => socket.terminate());
  }

  /** @param {boolean} deaf */
  set deaf(deaf) {
    this.#deaf = deaf;
    this.#sockets.clients.forEach((socket) => (deaf ? socket.pause() : socket.resume()));
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   */
  async #serve(request, response) {
    const { pathname } = new URL(request.url ?? "/", this.origin);
    const { status, type, bytes } = await this.#find(pathname);
    const etag = `"${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}"`;
    const same = status === 200 && request.headers["if-none-match"] === etag;
    this.asked.push({ path: pathname, status: same ? 304 : status });
    response.writeHead(same ? 304 : status, {
      "content-type": type,
      "cache-control": "no-cache",
      "service-worker-allowed": "/",
      ...(same ? {} : { "content-length": bytes.length }),
      ...(status === 200 ? { etag } : {}),
    });
    response.end(same ? undefined : bytes);
  }

  /**
   * @param {string} path
   * @returns {Promise<Answer>}
   */
  async #find(path) {
    const text = (/** @type {string} */ body) => Buffer.from(body);
    switch (path) {
      case "/":
      case "/second/":
        return { status: 200, type: "text/html", bytes: text(PAGE) };
      case "/dendrite_sw.js":
        return { status: 200, type: "text/javascript", bytes: await readFile(this.worker) };
      case "/config.json":
        return { status: 200, type: "application/json", bytes: text(JSON.stringify(this.config)) };
      case "/dendrite.wasm":
        return this.wasm === null
          ? { status: 404, type: "text/plain", bytes: text("no such file") }
          : { status: 200, type: "application/wasm", bytes: await readFile(this.wasm) };
      default: {
        if (path.startsWith("/test/client/") && !path.includes("..")) {
          const file = new URL(`../..${path}`, import.meta.url);
          return { status: 200, type: "text/javascript", bytes: await readFile(file) };
        }
        const own = /^\/neurite\/(\w+)$/.exec(path); // the client's own part of the work
        if (own) {
          const file = new URL(
            `../../riot-patches/files/src/neurite/${own[1]}.js`,
            import.meta.url,
          );
          return { status: 200, type: "text/javascript", bytes: await readFile(file) };
        }
        const error = { errcode: "M_UNKNOWN", error: "no service worker controls this page" };
        return { status: 503, type: "application/json", bytes: text(JSON.stringify(error)) };
      }
    }
  }
}
