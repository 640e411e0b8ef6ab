// Several relays that are one: a NATS server of the test's own, and a balancer before the relays.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after } from "node:test";
import { Relay, freePort } from "./relay.mjs";

const START_MS = 30000;

/** @type {Set<import("node:child_process").ChildProcess>} */
const children = new Set();
after(() => children.forEach((child) => child.kill("SIGKILL")));

/** A NATS server, which can be stopped and started again on its port. */
export class Nats {
  /** @param {number} port */
  constructor(port) {
    this.port = port;
    /** @type {import("node:child_process").ChildProcess | undefined} */
    this.child = undefined;
  }

  get url() {
    return `nats://127.0.0.1:${this.port}`;
  }

  async up() {
    const child = spawn("nats-server", ["-a", "127.0.0.1", "-p", String(this.port)]);
    this.child = child;
    children.add(child);
    child.on("exit", () => children.delete(child));
    await new Promise((resolve, reject) => {
      let said = "";
      const late = setTimeout(() => reject(new Error(`nats-server: ${said}`)), START_MS);
      child.on("error", reject);
      child.stderr.on("data", (data) => {
        said += data;
        if (said.includes("Server is ready")) resolve(clearTimeout(late));
      });
    });
  }

  /** @param {boolean} does its socket stays, and nothing reads it */
  hang(does) {
    this.child?.kill(does ? "SIGSTOP" : "SIGCONT");
  }

  async down() {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGKILL");
    await once(this.child, "exit");
  }
}

/** Passes each connection on to the relay that a test names; clients see one address. */
export class Cluster {
  /**
   * @param {Nats} nats
   * @param {Relay[]} relays
   * @param {number} port
   */
  constructor(nats, relays, port) {
    this.nats = nats;
    this.relays = relays;
    this.port = port;
    this.next = 0; // the relay of the connections to come
    this.server = createServer((socket) => {
      const relay = connect(this.relays[this.next].port, "127.0.0.1");
      socket.pipe(relay).pipe(socket);
      for (const [one, other] of [
        [socket, relay],
        [relay, socket],
      ]) {
        one.on("error", () => other.destroy());
        one.on("close", () => other.destroy());
      }
    });
  }

  /**
   * @param {number} n
   * @param {{withNats?: boolean}} options
   */
  static async start(n, { withNats = true } = {}) {
    const nats = new Nats(await freePort());
    if (withNats) await nats.up();
    const relays = [];
    for (let i = 0; i < n; i++) relays.push(await Relay.start("ours", "--cluster", nats.url));
    const cluster = new Cluster(nats, relays, await freePort());
    cluster.server.listen(cluster.port, "127.0.0.1");
    await once(cluster.server, "listening");
    if (withNats) await cluster.meets(relays);
    return cluster;
  }

  /** @param {string} peerId */
  address(peerId) {
    return `/ip4/127.0.0.1/tcp/${this.port}/ws/p2p-websocket-star/ipfs/${peerId}`;
  }

  /**
   * What a relay counts.
   * @param {Relay} relay
   * @param {string} name
   */
  static async metric(relay, name) {
    const text = await (await fetch(`${relay.url}/metrics`)).text();
    return Number(text.match(new RegExp(`^${name} (\\d+)$`, "m"))?.[1]);
  }

  /**
   * Waits until each of these relays knows all others of them.
   * @param {Relay[]} relays
   */
  async meets(relays) {
    for (const relay of relays) {
      await until(
        async () =>
          (await Cluster.metric(relay, "rendezvous_cluster_relays")) === relays.length - 1,
      );
    }
  }

  async down() {
    this.server.close();
    const codes = await Promise.all(this.relays.map((relay) => relay.down("SIGTERM")));
    await this.nats.down();
    return codes;
  }
}

/**
 * Tries until it is so; the test's own limit ends it.
 * @param {() => Promise<boolean>} condition
 */
export async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}
