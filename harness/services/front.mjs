/**
 * Stands in front of a stack, under an origin of its own: passes everything on, adds one script to the
 * page, and takes what that script reports. So a browser can be driven without a debugger.
 */
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

const SCRIPT = "/front/script.js";
const ASLEEP = "/front/asleep";
const REPORT = "/front/report";

export class Front {
  #server;
  #target;
  #script;
  /** @type {Set<import("node:stream").Duplex>} websockets: only the worker has any */
  #sockets = new Set();
  /** @type {(() => void)[]} */
  #waiting = [];
  #seen = false;
  /** @type {(report: any) => void} */
  #reported = () => {};
  /** @type {Promise<any>} what the script said in the end */
  report = new Promise((resolve) => (this.#reported = resolve));

  /**
   * @param {string} target the stack's origin
   * @param {string} script runs first in the page
   */
  constructor(target, script) {
    this.#target = new URL(target);
    this.#script = script;
    this.#server = http.createServer((request, response) => void this.#serve(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** @returns {Promise<string>} its origin */
  async start() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const { port } = /** @type {net.AddressInfo} */ (this.#server.address());
    return `http://localhost:${port}`;
  }

  async stop() {
    this.#sockets.forEach((socket) => socket.destroy());
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   */
  async #serve(request, response) {
    const { pathname } = new URL(request.url ?? "/", this.#target);
    if (pathname === SCRIPT) {
      response.writeHead(200, { "content-type": "text/javascript" }).end(this.#script);
    } else if (pathname === ASLEEP) {
      await this.#asleep();
      response.writeHead(204).end();
    } else if (pathname === REPORT) {
      let body = "";
      for await (const part of request) {
        body += part;
      }
      response.writeHead(204).end();
      this.#reported(JSON.parse(body));
    } else {
      this.#pass(request, response, pathname === "/");
    }
  }

  /** Resolves when the worker's websocket has closed, which says that its browser has ended it. */
  #asleep() {
    return new Promise((/** @type {(value: void) => void} */ resolve) => {
      this.#waiting.push(resolve);
      this.#look();
    });
  }

  #look() {
    if (this.#seen && this.#sockets.size === 0) {
      this.#waiting.splice(0).forEach((resolve) => resolve());
    }
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   * @param {boolean} isPage
   */
  #pass(request, response, isPage) {
    const { "accept-encoding": _, ...headers } = request.headers;
    const { hostname, port } = this.#target;
    const options = { hostname, port, path: request.url, method: request.method, headers };
    const passed = http.request(options, async (answer) => {
      if (!isPage || answer.statusCode !== 200) {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        return;
      }
      let page = "";
      for await (const part of answer.setEncoding("utf8")) {
        page += part;
      }
      page = page.replace(/<head>/, `<head><script src="${SCRIPT}"></script>`);
      response.writeHead(200, { "content-type": "text/html", "cache-control": "no-store" });
      response.end(page);
    });
    passed.on("error", () => response.destroy());
    request.pipe(passed);
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {import("node:stream").Duplex} socket
   * @param {Buffer} head
   */
  #upgrade(request, socket, head) {
    const target = net.connect(Number(this.#target.port), this.#target.hostname);
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    }
    target.write(`${lines.join("\r\n")}\r\n\r\n`);
    target.write(head);
    socket.pipe(target).pipe(socket);
    this.#sockets.add(socket);
    this.#seen = true;
    const gone = () => {
      target.destroy();
      socket.destroy();
      this.#sockets.delete(socket);
      this.#look();
    };
    for (const end of [socket, target]) {
      end.on("error", gone).on("close", gone);
    }
  }
}
