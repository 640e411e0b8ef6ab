/**
 * Somebody with a browser of their own: it has its own profile, and so its own homeserver. Here is what
 * they do outside of rooms: come, register, look around, go. Rooms are in rooms.mjs, talk in talk.mjs.
 */
import { expect } from "@playwright/test";
import { launchOn } from "../browsers.mjs";
import { killWorkers } from "../worker.mjs";
import { Rooms } from "./rooms.mjs";
import { Talk } from "./talk.mjs";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {import("@playwright/test").BrowserContext} BrowserContext */
/** @typedef {"chromium" | "firefox"} BrowserName */

const PASSWORD = "correct horse battery 7";
/** @param {number} port Both browsers leave localhost alone. */
const proxyPrefs = (port) => ({
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": port,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": port,
});

export class Person {
  /** @type {BrowserContext | null} */
  context = null;
  /** @type {Page | null} */
  #page = null;

  /**
   * @param {import("@playwright/test").BrowserType} type
   * @param {object} who
   * @param {string} who.name local part of the user id
   * @param {string} who.displayName
   * @param {string} who.profile a folder
   * @param {string} who.origin of the stack
   * @param {(context: BrowserContext, person: Person) => void} who.watch is told of each new context
   * @param {number} who.gate port of the proxy that stands in for the rest of the world
   * @param {Record<string, number | boolean | string>} [who.firefoxUserPrefs]
   */
  constructor(type, { name, displayName, profile, origin, watch, gate, firefoxUserPrefs = {} }) {
    this.type = type;
    this.name = name;
    this.displayName = displayName;
    this.profile = profile;
    this.origin = origin;
    this.watch = watch;
    this.gate = gate;
    this.firefoxUserPrefs = { ...proxyPrefs(gate), ...firefoxUserPrefs };
    this.rooms = new Rooms(this);
    this.talk = new Talk(this);
  }

  /** @returns {BrowserName} */
  get browserName() {
    return this.type.name() === "firefox" ? "firefox" : "chromium";
  }

  get page() {
    if (this.#page === null) {
      throw new Error(`${this.name}'s browser is closed`);
    }
    return this.#page;
  }

  get isOpen() {
    return this.context !== null;
  }

  /** Starts the browser, with nothing open yet. */
  async launch() {
    const context = await launchOn(this.type, this.profile, this.firefoxUserPrefs, [
      `--proxy-server=http://127.0.0.1:${this.gate}`,
    ]);
    this.context = context;
    context.on("close", () => {
      this.context = null;
      this.#page = null;
    });
    this.watch(context, this);
    const page = context.pages()[0] ?? (await context.newPage());
    // Riot's reminder to switch desktop notifications on covers the room list. It also comes while a
    // dialog covers itself, so it gets the event and not the mouse.
    const reminder = page.locator(".mx_Toast_toast .mx_AccessibleButton_kind_danger");
    await page.addLocatorHandler(reminder, (button) => button.dispatchEvent("click"));
    this.#page = page;
  }

  /** Ends the browser wholly, worker and all. */
  async close() {
    await this.context?.close();
    this.context = null;
    this.#page = null;
  }

  /** @param {string} [hash] e.g. "#/register" */
  async open(hash = "") {
    await this.page.goto(`${this.origin}/${hash}`);
  }

  /**
   * Clicks and types as a person does; over WebDriver BiDi fill() does not reach React's inputs.
   *
   * @param {string} selector
   * @param {string} text
   */
  async typeInto(selector, text) {
    await this.page.locator(selector).first().click();
    await this.page.keyboard.type(text);
  }

  /** From nothing to the form for a new account, which shows once the homeserver answers. */
  async openRegistration() {
    await this.open("");
    await this.page.locator(".mx_ButtonCreateAccount").click();
    await this.page.locator(".mx_Login_submit:not([disabled])").waitFor();
  }

  /** What the form says the homeserver is called. */
  async formHeading() {
    return (await this.page.locator(".mx_AuthBody h3").first().innerText()).replace(/\s+/g, " ");
  }

  /** Fills the form once and submits it once; ends in front of the home page. */
  async register() {
    const { page } = this;
    await this.typeInto("#mx_RegistrationForm_username", this.name);
    await this.typeInto("#mx_RegistrationForm_password", PASSWORD);
    await this.typeInto("#mx_RegistrationForm_passwordConfirm", PASSWORD);
    await page.locator(".mx_Login_submit").click();
    const dialog = page.locator(".neurite_DisplayNameDialog");
    await dialog.locator("input").click();
    await page.keyboard.press("Control+A");
    await page.keyboard.type(this.displayName);
    await dialog.locator(".mx_Dialog_primary").click();
    await this.rooms.closeDirectory();
    await page.locator(".mx_HomePage").waitFor();
  }

  /** Waits until Riot has started, logged in. */
  async isLoggedIn() {
    await this.page.locator(".mx_MatrixChat").waitFor();
    await this.page.locator(".mx_RoomSublist[aria-label='Rooms']").first().waitFor();
  }

  /** @returns {Promise<{ userId: string, token: string, server: string }>} */
  async session() {
    const { userId, token } = await this.page.evaluate(() => ({
      userId: localStorage.getItem("mx_user_id") ?? "",
      token: localStorage.getItem("mx_access_token") ?? "",
    }));
    expect(userId).toMatch(/^@[^:]+:12D3KooW/);
    return { userId, token, server: userId.slice(userId.indexOf(":") + 1) };
  }

  /**
   * A request of the page, with its session, through its worker.
   *
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<{ status: number, json: any }>}
   */
  ask(method, path, body) {
    return this.page.evaluate(
      async (wanted) => {
        const token = localStorage.getItem("mx_access_token");
        const response = await fetch(wanted.path, {
          method: wanted.method,
          body: wanted.body,
          headers: token === null ? {} : { authorization: `Bearer ${token}` },
        });
        return { status: response.status, json: await response.json().catch(() => null) };
      },
      { method, path, body: body === undefined ? undefined : JSON.stringify(body) },
    );
  }

  /** @returns {Promise<any>} /_neurite/status */
  async status() {
    return (await this.ask("GET", "/_neurite/status")).json;
  }

  async killWorker() {
    await killWorkers(this.page, this.browserName);
  }

  /** @param {string} path */
  async screenshot(path) {
    await this.page.screenshot({ path });
  }
}
