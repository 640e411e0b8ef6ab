/**
 * The way out of a browser: a proxy that lets nothing through and says what wanted to. Playwright does
 * not show every request of a service worker; this sees them all, for other hosts than localhost.
 */
import { once } from "node:events";
import http from "node:http";

/** What browsers ask their makers for, with no page open: updates, lists, time, whether there is a net. */
const OWN = [
  /(^|\.)(services|cdn|prod\.webservices)\.mozilla\.(com|net|org)$/,
  /(^|\.)mozilla\.org$/,
  /^detectportal\.firefox\.com$/,
  /^(clients\d*|accounts|update|android\.clients|mtalk|www)\.google(apis)?\.com$/,
  /^([a-z]+-pa|clientservices|content-autofill|safebrowsing|update)\.googleapis\.com$/,
  /(^|\.)gvt1\.com$/,
];

export class Gate {
  #server;

  /** @param {(url: string) => void} note is told of each request to elsewhere */
  constructor(note) {
    const say = (/** @type {string} */ url) => {
      const { hostname } = new URL(url);
      if (!OWN.some((pattern) => pattern.test(hostname))) {
        note(url);
      }
    };
    this.#server = http.createServer((request, response) => {
      say(request.url ?? "http://unknown/");
      response.writeHead(502, { "content-type": "text/plain" });
      response.end("nothing leaves the origin\n");
    });
    this.#server.on("connect", (request, socket) => {
      say(`https://${request.url}/`);
      socket.on("error", () => {});
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    });
  }

  /** @returns {Promise<number>} the port */
  async start() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return /** @type {import("node:net").AddressInfo} */ (this.#server.address()).port;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
