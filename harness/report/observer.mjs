/**
 * What the browsers did that nobody asked them to: requests to other origins, errors on their consoles,
 * paths the homeserver does not have. Everything is also appended to a file, one JSON a line, so that
 * the last step of a scenario can judge what all before it saw.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";

/**
 * @typedef {object} Finding
 * @property {"foreign" | "console" | "missing"} kind
 * @property {string} who the browser
 * @property {string} step where it happened
 * @property {string} text
 */

/** A path with what varies in it left out, e.g. "GET /_matrix/client/r0/rooms/{}/aliases". */
export function shape(/** @type {string} */ method, /** @type {string} */ url) {
  const path = new URL(url).pathname
    .split("/")
    .map((part) => (/[@!#:$]|%[0-9A-F]{2}|^[0-9a-f-]{16,}$/i.test(part) ? "{}" : part));
  return `${method} ${path.join("/")}`;
}

export class Observer {
  step = "";

  /**
   * @param {string} file
   * @param {string} origin that pages may talk to
   */
  constructor(file, origin) {
    this.file = file;
    this.origin = origin;
  }

  /**
   * @param {Finding["kind"]} kind
   * @param {string} who
   * @param {string} text
   */
  note(kind, who, text) {
    const finding = { kind, who, step: this.step, text };
    appendFileSync(this.file, `${JSON.stringify(finding)}\n`);
  }

  /**
   * @param {import("@playwright/test").BrowserContext} context
   * @param {string} who
   */
  watch(context, who) {
    context.on("request", (request) => this.#request(request.url(), who));
    context.on("response", (response) => {
      if (response.status() === 404 && new URL(response.url()).pathname.startsWith("/_matrix/")) {
        void this.#missing(response, who);
      }
    });
    context.on("console", (message) => {
      if (message.type() === "error") {
        const { url } = message.location();
        this.note("console", who, `${message.text()}${url ? ` (${url})` : ""}`);
      }
    });
    context.on("weberror", (error) =>
      this.note("console", who, `thrown: ${error.error().message}`),
    );
    context.on("page", (page) => {
      page.on("websocket", (socket) => this.#request(socket.url(), who));
    });
  }

  /**
   * @param {string} url
   * @param {string} who
   */
  #request(url, who) {
    const { protocol, host } = new URL(url);
    const isNetwork = /^(https?|wss?|ftp):$/.test(protocol);
    if (isNetwork && host !== new URL(this.origin).host) {
      this.note("foreign", who, url);
    }
  }

  /**
   * @param {import("@playwright/test").Response} response
   * @param {string} who
   */
  async #missing(response, who) {
    const text = await response.text().catch(() => "");
    if (text.includes("M_UNRECOGNIZED")) {
      this.note("missing", who, shape(response.request().method(), response.url()));
    }
  }

  /** @returns {Finding[]} */
  findings() {
    if (!existsSync(this.file)) {
      return [];
    }
    const lines = readFileSync(this.file, "utf8").split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line));
  }
}
