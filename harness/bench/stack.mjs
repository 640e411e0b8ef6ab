/** HTTP over yamux over Noise through the relay, between two native homeservers. */
import { randomBytes } from "node:crypto";
import { startNeurite } from "../services/programs.mjs";
import { Homeserver } from "./client.mjs";
import { RATE } from "./figures.mjs";
import { drive, pause, upTo, usage } from "./measure.mjs";
import { inFolder } from "./place.mjs";

/** @typedef {import("./figures.mjs").Figures} Figures */

const MS = Number(process.env.SECONDS ?? 5) * 1000;
const ASKERS = 16;
const FILES = 48;
const FILE_BYTES = 512 * 1024;
const TRIES = 40;
const TRY_MS = 250;

/**
 * @param {Figures} figures
 * @param {{ url: string, pid: number }} relay
 */
export async function stack(figures, relay) {
  await inFolder(async (near) =>
    inFolder(async (far) => {
      const asking = await startNeurite(near, relay.url);
      const serving = await startNeurite(far, relay.url);
      try {
        await between(figures, asking, serving, relay.pid);
      } finally {
        await asking.stop();
        await serving.stop();
      }
    }),
  );
}

/**
 * @param {Figures} figures
 * @param {{ base: string, pid: number }} asking
 * @param {{ base: string, pid: number }} serving
 * @param {number} relay its process
 */
async function between(figures, asking, serving, relay) {
  const near = new Homeserver(asking.base);
  const far = new Homeserver(serving.base);
  const reader = await near.register();
  const owner = await far.register();
  const { user_id } = JSON.parse((await owner.must("GET", "/account/whoami")).toString());
  const profile = `/profile/${encodeURIComponent(user_id)}`;
  await found(() => reader.must("GET", profile));
  const before = [asking, serving].map(({ pid }) => usage(pid).seconds);
  const passing = usage(relay).seconds;
  const { perSecond, times } = await drive(ASKERS, { ms: MS }, () => reader.must("GET", profile));
  const spent = [asking, serving].map(({ pid }, i) => usage(pid).seconds - before[i]);
  figures.put("requests between homeservers", perSecond, RATE);
  const seconds = times.length / perSecond;
  const part = ((usage(relay).seconds - passing) / seconds) * 100;
  figures.note(
    `meanwhile: the asking one ${spent[0].toFixed(1)} s of processor time, the serving one ` +
      `${spent[1].toFixed(1)} s, the relay ${part.toFixed(0)} %`,
  );

  const files = await Promise.all(
    upTo(FILES).map(async () => {
      const body = { noise: randomBytes(FILE_BYTES / 2).toString("hex") };
      const said = await far.call("POST", "/_matrix/media/v3/upload", body, owner.token);
      return String(JSON.parse(said.bytes.toString()).content_uri).slice("mxc://".length);
    }),
  );
  const download = await drive(4, { count: FILES }, async (_hand, i) => {
    const path = `/_matrix/client/v1/media/download/${files[i]}`;
    const { status, bytes } = await near.call("GET", path, undefined, reader.token);
    if (status !== 200 || bytes.length < FILE_BYTES) {
      throw new Error(`download: ${status}, ${bytes.length} bytes`);
    }
  });
  const mib = (download.perSecond * FILE_BYTES) / (1024 * 1024);
  figures.put("files between homeservers", mib, { unit: "MiB/s", best: "high" });
  near.close();
  far.close();
}

/** Asks until it is answered: the two have to find each other. @param {() => Promise<unknown>} ask */
async function found(ask) {
  for (let i = 1; ; i++) {
    try {
      await ask();
      return;
    } catch (error) {
      if (i === TRIES) {
        throw error;
      }
      await pause(TRY_MS);
    }
  }
}
