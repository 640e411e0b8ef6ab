/**
 * Starts the native server for a suite of black-box tests: under-test.mjs CONFIG.json. Stays until
 * SIGINT or SIGTERM, or until the server ends. Of the file's keys these are used:
 *
 *   server_name   what stands behind the ':' of user ids
 *   bind_host     where tls_port and http_port are, a name or an address of the loopback
 *   http_port     the client API
 *   tls_port      the same over TLS
 *   tls_cert, tls_key, data_dir, registration_shared_secret
 *
 * TLS ends here, in front of the server's plain port.
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

/** @param {any} given @returns {string[]} */
function argumentsOf(given) {
  mkdirSync(given.data_dir, { recursive: true });
  const args = [
    ...["--listen", `127.0.0.1:${given.http_port}`, "--data", given.data_dir],
    ...["--server-name", given.server_name, "--no-rate-limits", "--password-memory-kib", "8"],
    "--allow-guests",
  ];
  if (given.registration_shared_secret) {
    const secret = path.join(given.data_dir, "registration-secret");
    writeFileSync(secret, `${given.registration_shared_secret}\n`, { mode: 0o600 });
    args.push("--registration-secret-file", secret);
  }
  return args;
}

const server = spawn(neurite, argumentsOf(config), { stdio: ["ignore", "pipe", "inherit"] });
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
const door = tls.createServer(
  { cert: readFileSync(config.tls_cert), key: readFileSync(config.tls_key) },
  (outside) => {
    const inside = net.connect(config.http_port, "127.0.0.1");
    outside.pipe(inside).pipe(outside);
    outside.on("error", () => inside.destroy());
    inside.on("error", () => outside.destroy());
    outside.on("close", () => inside.destroy());
    inside.on("close", () => outside.destroy());
  },
);
door.on("tlsClientError", () => {}); // whoever spoke no TLS has been refused by then
door.listen(config.tls_port, config.bind_host);
const [code] = await ended;
process.exit(code ?? 1);
