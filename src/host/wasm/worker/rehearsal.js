/**
 * Tries a new build on a copy of the durable image: it opens, migrates and answers, and nothing of
 * that is written or sent anywhere. The old instance goes on meanwhile.
 */
import { configLines } from "./config.js";
import { Core } from "./core.js";
import { EFFECT } from "./interface.js";
import { Image } from "./image.js";
import { ownRequest } from "./requests.js";

const STEPS_MAX = 1000;
const PATH = "/_matrix/client/versions";

/**
 * @param {import("./module.js").Build} build
 * @param {IDBDatabase} storage
 * @param {import("./log.js").Log} log
 * @returns {Promise<string>} what is wrong with it; empty: nothing
 */
export async function rehearse(build, storage, log) {
  try {
    const core = await Core.instantiate(build.module, (level, line) =>
      log.add(level, `rehearsal: ${line}`),
    );
    const size = await new Image(storage).load((...part) => core.load(...part));
    const { error, why } = core.open(size, await configLines(build.section.build, false));
    if (error !== "none") {
      return `it cannot open the database (${error}): ${why}`;
    }
    return perform(core);
  } catch (error) {
    return String(error);
  }
}

/** @param {Core} core */
function perform(core) {
  const { head, body } = ownRequest("GET", PATH, () => {});
  core.turn();
  core.request(1n, head, body);
  core.turn();
  for (let step = 0; step < STEPS_MAX; step++) {
    const effect = core.next();
    if (effect === null) {
      return `it does not answer ${PATH}`;
    }
    if (effect.kind === EFFECT.RESPOND) {
      return effect.status === 200 ? "" : `it answers ${PATH} with ${effect.status}`;
    }
    if (effect.kind === EFFECT.RESTART) {
      return "it gives up at once";
    }
    if (effect.kind === EFFECT.FLUSH) {
      core.flushBegin();
      core.flushed(effect.id, true);
      core.turn();
    }
  }
  return "it finds no end";
}
