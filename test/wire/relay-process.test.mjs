// `rendezvous` as a program: flags, environment, TLS, signals, exit status.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { on, once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";
import { Relay, freePort, program } from "./support/relay.mjs";
import { Raw, text } from "./support/raw.mjs";

const LIMIT = { timeout: 60000 };

/** @param {string[]} args */
const run = (...args) => spawnSync(program, args, { encoding: "utf8" });

/**
 * Starts it, hands its first line to the test, and stops it.
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @param {(line: string) => void | Promise<void>} check
 */
async function running(args, env, check) {
  const child = spawn(program, args, { env: { ...process.env, ...env } });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (data) => (output += data));
  const exit = once(child, "exit");
  while (!output.includes("\n")) await Promise.race([once(child.stdout, "data"), exit]);
  try {
    await check(output.split("\n")[0]);
  } finally {
    child.kill("SIGTERM");
    await exit;
  }
}

describe("rendezvous", LIMIT, () => {
  test("says what is wrong with a flag in a sentence, and ends with 2", () => {
    for (const [args, sentence] of /** @type {[string[], string][]} */ ([
      [["--nope"], "--nope: there is no such option; --help lists them."],
      [["--port"], "--port needs a value."],
      [["--port=x"], "--port x: a port is a number up to 65535."],
      [["stray"], "stray: only options are understood; --help lists them."],
      [["--log-level", "loud"], "--log-level loud: it has to be error, warn, info or debug."],
      [["--limit", "stall=never"], "--limit stall=never: it has to be NAME=NUMBER."],
    ])) {
      const { status, stdout, stderr } = run(...args);
      assert.deepEqual([status, stdout, stderr], [2, "", `rendezvous: ${sentence}\n`]);
    }
  });

  test("writes a line for each fact of its level, and few by default", async () => {
    for (const [args, wanted] of /** @type {[string[], RegExp][]} */ ([
      [[], /^$/],
      [["--log-level=info"], /^\S+Z info joined (\/\S+)\n\S+Z info left \1\n$/],
    ])) {
      const relay = await Relay.start("ours", ...args);
      const raw = await Raw.open(relay);
      await raw.join("logged");
      raw.emit("ss-leave", raw.address);
      raw.write(text("2"));
      assert.equal(await raw.says(), "3");
      raw.end();
      assert.equal(await relay.down(), 0);
      assert.match(relay.stderr, wanted);
    }
  });

  test("helps on one screen and tells its version", () => {
    const help = run("--help");
    assert.equal(help.status, 0);
    for (const name of ["port", "host", "key", "cert", "pfx", "passphrase", "limit"]) {
      assert.match(help.stdout, new RegExp(`--${name}`));
    }
    const lines = help.stdout.split("\n");
    assert.ok(lines.length <= 45 && lines.every((line) => line.length <= 100), help.stdout);
    const version = run("--version");
    assert.equal(version.status, 0);
    assert.match(version.stdout, /^rendezvous \S+\n$/);
  });

  test("prefers a flag to the environment", async () => {
    const [port, other] = [await freePort(), await freePort()];
    const env = { PORT: String(other), HOST: "127.0.0.1" };
    await running([`-p${port}`], env, (line) =>
      assert.equal(line, `Listening on: http://127.0.0.1:${port}`),
    );
    await running([], env, (line) => assert.equal(line, `Listening on: http://127.0.0.1:${other}`));
  });

  test("listens on a name and on IPv6", async () => {
    const port = await freePort();
    await running(["--port", String(port), "--host", "localhost"], {}, async (line) => {
      assert.equal(line, `Listening on: http://localhost:${port}`);
      assert.equal((await fetch(`http://localhost:${port}/health`)).status, 200);
    });
  });

  test("has no metrics when they are disabled", async () => {
    const relay = await Relay.start("ours", "--disableMetrics");
    assert.equal((await fetch(`${relay.url}/metrics`)).status, 404);
    assert.equal(await relay.down(), 0);
  });

  test("ends with 2 when its port is taken", async () => {
    const relay = await Relay.start("ours");
    const { status, stderr } = run(`--port=${relay.port}`, "--host=127.0.0.1");
    assert.equal(status, 2);
    assert.equal(stderr, `rendezvous: cannot listen on 127.0.0.1 port ${relay.port}.\n`);
    assert.equal(await relay.down(), 0);
  });

  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    test(`closes its websockets and ends with 0 on ${signal}`, async () => {
      const relay = await Relay.start("ours");
      const raws = await Promise.all([Raw.open(relay), Raw.open(relay)]);
      assert.equal(await relay.down(signal), 0, relay.stderr);
      assert.match(relay.stdout, /Rendezvous server stopped\n$/);
      for (const raw of raws) assert.equal(await raw.says(), "close 0");
    });
  }

  test("refuses more websockets from one address than a limit allows", async () => {
    const relay = await Relay.start("ours", "--limit=per-ip=1");
    const first = await Raw.open(relay);
    await assert.rejects(Raw.open(relay), /odd start/);
    first.end();
    assert.equal(await relay.down(), 0, relay.stderr);
  });
});

describe("rendezvous with TLS", LIMIT, () => {
  /** @type {string} */
  let dir;
  const file = (/** @type {string} */ name) => join(dir, name);
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "rendezvous-"));
    const make = (/** @type {string} */ line) =>
      execFileSync("openssl", line.split(" "), { stdio: "pipe" });
    make(
      `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout ${file("key.pem")} -out ${file("cert.pem")}`,
    );
    make(
      `pkcs12 -export -inkey ${file("key.pem")} -in ${file("cert.pem")} -passout pass:secret -out ${file("both.pfx")}`,
    );
    make(`rsa -aes128 -passout pass:secret -in ${file("key.pem")} -out ${file("locked.pem")}`);
  });
  after(() => rmSync(dir, { recursive: true }));

  /** @param {number} port @returns {Promise<number | undefined>} */
  const health = (port) =>
    new Promise((resolve, reject) =>
      get({ port, host: "127.0.0.1", path: "/health", rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on("error", reject),
    );

  /** The status of a page; undefined: nobody is there yet. @param {number} port */
  const answers = (port) =>
    new Promise((resolve) =>
      get({ port, host: "127.0.0.1", path: "/", rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on("error", () => resolve(undefined)),
    );

  /** Opens a websocket over TLS and says a word. @param {number} port */
  async function greets(port) {
    const url = `wss://127.0.0.1:${port}/socket.io/?EIO=3&transport=websocket`;
    const socket = new WebSocket(url, { rejectUnauthorized: false });
    const heard = on(socket, "message");
    const next = async () => String((await heard.next()).value[0]);
    assert.match(await next(), /^0\{"sid":/);
    assert.equal(await next(), "40");
    socket.send("2");
    assert.equal(await next(), "3");
    socket.terminate();
  }

  test("serves with PEM files, with a locked key, and with PKCS#12", async () => {
    for (const words of [
      ["--key", file("key.pem"), "--cert", file("cert.pem")],
      ["--tls-key", file("key.pem"), "--tls-cert", file("cert.pem")],
      ["--key", file("locked.pem"), "--cert", file("cert.pem"), "--passphrase", "secret"],
      ["--pfx", file("both.pfx"), "--passphrase=secret"],
    ]) {
      const port = await freePort();
      await running([`--port=${port}`, "--host=127.0.0.1", ...words], {}, async (line) => {
        assert.equal(line, `Listening on: https://127.0.0.1:${port}`);
        assert.equal(await health(port), 200);
        await greets(port);
      });
    }
  });

  test("is reached by wss through the origin of a page that nginx serves over HTTPS", async () => {
    const relay = await Relay.start("ours");
    const port = await freePort();
    writeFileSync(file("index.html"), "a page");
    const nginx = spawn(fileURLToPath(new URL("../../web/run-nginx.sh", import.meta.url)), [dir], {
      env: {
        ...process.env,
        ...{ WEB_PORT: `${port}`, WEB_ADDR: "127.0.0.1", RELAY_ADDR: `127.0.0.1:${relay.port}` },
        ...{ RIOT_DIR: dir, TLS_CERT: file("cert.pem"), TLS_KEY: file("key.pem") },
      },
    });
    const ended = once(nginx, "exit");
    let stderr = "";
    nginx.stderr.on("data", (data) => (stderr += data));
    try {
      while ((await answers(port)) === undefined) {
        assert.equal(nginx.exitCode, null, stderr);
      }
      assert.equal(await answers(port), 200);
      await greets(port);
    } finally {
      nginx.kill("SIGTERM");
      await ended;
      assert.equal(await relay.down(), 0, relay.stderr);
    }
  });

  test("ends with 2 when a key cannot be used", () => {
    for (const words of [
      ["--key", file("absent.pem"), "--cert", file("cert.pem")],
      ["--pfx", file("both.pfx"), "--passphrase", "wrong"],
      ["--key", file("key.pem"), "--cert", file("key.pem")],
      ["--key", file("locked.pem"), "--cert", file("cert.pem"), "--passphrase", "wrong"],
    ]) {
      const { status, stderr } = run("--host=127.0.0.1", "--port=1", ...words);
      assert.equal(status, 2);
      assert.equal(stderr, "rendezvous: the certificate or its key cannot be used.\n");
    }
  });
});
