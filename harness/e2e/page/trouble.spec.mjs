/**
 * The client's page when something is not as it should be: what people see then, with the real cause, and
 * that it goes on when the cause is gone. nginx, relay, client and homeserver are those of the stack.
 */
import { copyFile, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Server, enc, fresh } from "../../../test/client/matrix.mjs";
import { freePort } from "../../../test/client/program.mjs";
import { built, expect, test as base } from "../../fixtures.mjs";
import { Person } from "../../pages/person.mjs";
import { Gate } from "../../services/gate.mjs";
import { startNeurite, startRelay, startWeb } from "../../services/programs.mjs";

const OFFLINE = "offline - messages will be sent when the relay is back";
const ELSEWHERE = "http://neurite.test";

/**
 * @typedef {object} Stack
 * @property {Person} alice her browser is open, with no page yet
 * @property {string} wasm where dendrite.wasm is served from; there is none at first
 * @property {number} port of nginx
 * @property {string} folder for this test's files
 * @property {{ url: string, stop: () => Promise<unknown>, start: () => Promise<void> }} relay
 */

/** @type {import("@playwright/test").Fixtures<any, any, any, any>} */
const fixtures = {
  /** The whole world but localhost is nginx: it answers for any host, which then is not localhost. */
  elsewhere: false,

  stack: async (
    /** @type {any} */ { playwright, browserName, profile: folder, elsewhere },
    /** @type {(stack: Stack) => Promise<void>} */ use,
  ) => {
    const relayPort = await freePort();
    let relay = await startRelay(relayPort);
    const wasm = join(folder, "wasm");
    await mkdir(wasm);
    const port = await freePort();
    const web = await startWeb(join(folder, "web"), port, relayPort, {
      WASM_DIR: join(folder, "none"),
      BUILTIN_DIR: wasm,
      WORKER_JS: resolve(built("dendrite_sw.js")),
    });
    const gate = new Gate(() => {});
    const gatePort = await gate.start();
    const alice = new Person(playwright[browserName], {
      name: "alice",
      displayName: "Alice",
      profile: join(folder, "profile"),
      origin: elsewhere ? ELSEWHERE : web.origin,
      watch: () => {},
      gate: elsewhere ? port : gatePort,
    });
    await alice.launch();
    await use({
      alice,
      wasm,
      port,
      folder,
      relay: {
        url: relay.url,
        stop: () => relay.stop(),
        start: async () => {
          relay = await startRelay(relayPort);
        },
      },
    });
    await alice.close();
    await gate.stop();
    await web.stop();
    await relay.stop();
  },
};

/** @typedef {import("@playwright/test").PlaywrightWorkerOptions} WorkerOptions */
/** @typedef {{ stack: Stack, elsewhere: boolean }} Given */
/** @typedef {import("@playwright/test").TestType<Given, WorkerOptions>} PageTest */

const test = /** @type {PageTest} */ (/** @type {unknown} */ (base.extend(fixtures)));

/**
 * Puts a module where nginx serves it from.
 *
 * @param {Stack} stack
 * @param {string} name in the folder of the build
 */
const serve = (stack, name) => copyFile(built(name), join(stack.wasm, "dendrite.wasm"));

/**
 * What the page's worker answers to a client's first question.
 *
 * @param {Person} person
 */
const versions = (person) => person.ask("GET", "/_matrix/client/versions");

test.describe("on neither https nor localhost", () => {
  test.use({ elsewhere: true });

  test("the page says that it needs a secure context, and how to get one", async ({ stack }) => {
    await serve(stack, "dendrite.wasm");
    const { page } = stack.alice;
    await stack.alice.open();
    const splash = page.locator("#neurite_splash");
    await expect(splash).toContainText("This page needs a secure connection");
    await expect(splash).toContainText("only on https:// pages and on localhost");
    await expect(splash).toContainText(ELSEWHERE);
    await expect(splash.locator("a").first()).toHaveAttribute("href", "http://localhost/");
    await expect(splash.locator("code")).toHaveText("ssh -N -L 80:localhost:80 neurite.test");
    await test.info().attach("page", { body: await page.screenshot(), contentType: "image/png" });
    await page.goto(`${ELSEWHERE}/_neurite/`);
    await expect(page.locator("#line")).toContainText("only on https:// pages and on localhost");
    await page.locator("#line a").click();
    await expect(splash).toContainText("This page needs a secure connection");
  });
});

for (const { what, module, says } of [
  { what: "missing", module: null, says: [/dendrite\.wasm/, /404/] },
  {
    what: "of a foreign interface",
    module: "foreign/dendrite.wasm",
    says: [/dendrite\.wasm/, /interface number 2\b/, /\b1 is wanted/],
  },
]) {
  test(`at a first visit a wasm that is ${what} is named, until there is one`, async ({
    stack,
  }) => {
    if (module !== null) {
      await serve(stack, module);
    }
    const { alice } = stack;
    await alice.open();
    const line = alice.page.locator("#neurite_splash_line");
    for (const part of says) {
      await expect(line).toContainText(part);
    }
    const { status, json } = await versions(alice);
    expect(status).toBe(503);
    for (const part of says) {
      expect(json.error).toMatch(part);
    }
    const picture = await alice.page.screenshot();
    await test.info().attach("page", { body: picture, contentType: "image/png" });
    await serve(stack, "dendrite.wasm");
    await alice.page.locator(".mx_ButtonCreateAccount").waitFor();
    expect((await versions(alice)).status).toBe(200);
  });
}

test("with the relay away all that is local goes on, and the rest when it is back", async ({
  stack,
}) => {
  await serve(stack, "dendrite.wasm");
  const { alice, relay, folder } = stack;
  const native = await startNeurite(join(folder, "native"), relay.url);
  try {
    const carol = await new Server(native.base).register(fresh("carol"));
    const local = fresh("far");
    const room = await carol.createRoom({
      preset: "public_chat",
      room_alias_name: local,
      name: "Far away",
    });
    await alice.openRegistration();
    await alice.register();
    const alias = enc(`#${local}:${carol.serverName}`);
    const joined = await alice.ask("POST", `/_matrix/client/v3/join/${alias}`, {});
    expect(joined.json).toEqual({ room_id: room });
    const { userId } = await alice.session();
    const heard = (/** @type {string} */ text) =>
      carol.until(() => carol.texts(room, userId).includes(text), `carol hears ${text}`);
    await alice.rooms.open("Far away");
    await alice.talk.send("while it is there");
    await heard("while it is there");

    await relay.stop();
    const banner = alice.page.locator("#neurite_banner");
    await expect(banner).toHaveText(OFFLINE);
    await alice.talk.send("while it is away");
    await alice.talk.sent("while it is away");
    const picture = await alice.page.screenshot();
    await test.info().attach("page", { body: picture, contentType: "image/png" });
    expect((await versions(alice)).status).toBe(200);

    await relay.start();
    await heard("while it is away");
    await expect(banner).toHaveCount(0);
  } finally {
    await native.stop();
  }
});
