/**
 * Starts the native server for a suite of black-box tests: under-test.mjs CONFIG.json. Stays until
 * SIGINT or SIGTERM, or until the server ends. Of the file's keys these are used:
 *
 *   server_name   what stands behind the ':' of user ids
 *   bind_host     where tls_port and http_port are, a name or an address of the loopback
 *   http_port     the client API
 *   tls_port      the same over TLS, and the server API
 *   tls_cert, tls_key, data_dir, registration_shared_secret
 *   ca_cert       the authority of other servers, which may be on this machine; without it the
 *                 server is alone
 *
 * TLS ends here, in front of the server's two ports: what a connection asks first says which it wants.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import tls from "node:tls";
import { fileURLToPath } from "node:url";

const neurite =
  process.env.NEURITE ?? fileURLToPath(new URL("../../build/neurite", import.meta.url));

/** @type {any} */
const config = JSON.parse(readFileSync(process.argv[2], "utf8"));

/** A port that nobody has. @returns {Promise<number>} */
async function freePort() {
  const taken = net.createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = /** @type {net.AddressInfo} */ (taken.address());
  taken.close();
  await once(taken, "close");
  return port;
}

/** @param {any} given @param {number} federation its port @returns {string[]} */
function argumentsOf(given, federation) {
  mkdirSync(given.data_dir, { recursive: true });
  const args = [
    ...["--listen", `127.0.0.1:${given.http_port}`, "--data", given.data_dir],
    ...["--server-name", given.server_name, "--no-rate-limits", "--password-memory-kib", "8"],
    "--allow-guests",
  ];
  if (given.ca_cert) {
    args.push("--federation-listen", `127.0.0.1:${federation}`, "--federation-allow-loopback");
    args.push("--tls-cert", given.tls_cert, "--tls-key", given.tls_key);
    args.push("--federation-ca", given.ca_cert);
  }
  if (given.registration_shared_secret) {
    const secret = path.join(given.data_dir, "registration-secret");
    writeFileSync(secret, `${given.registration_shared_secret}\n`, { mode: 0o600 });
    args.push("--registration-secret-file", secret);
  }
  return args;
}

const federationPort = await freePort();
const server = spawn(neurite, argumentsOf(config, federationPort), {
  stdio: ["ignore", "pipe", "inherit"],
});
const ended = once(server, "close");
const lines = server.stdout.setEncoding("utf8");
lines.pipe(process.stdout);
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.once(signal, () => server.kill("SIGTERM"));
}

let said = "";
while (!said.includes("Listening on ")) {
  said += await Promise.race([once(lines, "data"), ended.then(() => process.exit(1))]);
}

/**
 * The server's side of a connection that begins so.
 * @param {Buffer} first
 * @returns {net.Socket}
 */
function inwards(first) {
  return config.ca_cert && /^[A-Z]+ \/_matrix\/(federation|key)\//.test(first.toString("latin1"))
    ? tls.connect({ port: federationPort, host: "127.0.0.1", rejectUnauthorized: false })
    : net.connect(config.http_port, "127.0.0.1");
}

const door = tls.createServer(
  { cert: readFileSync(config.tls_cert), key: readFileSync(config.tls_key) },
  (outside) => {
    outside.on("error", () => outside.destroy());
    outside.once("data", (first) => {
      outside.pause();
      const inside = inwards(first);
      inside.write(first);
      outside.pipe(inside).pipe(outside);
      outside.on("error", () => inside.destroy());
      inside.on("error", () => outside.destroy());
      outside.on("close", () => inside.destroy());
      inside.on("close", () => outside.destroy());
    });
  },
);
door.on("tlsClientError", () => {}); // whoever spoke no TLS has been refused by then
door.listen(config.tls_port, config.bind_host);
const [code] = await ended;
process.exit(code ?? 1);
