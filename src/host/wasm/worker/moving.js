/**
 * What a move asks of a core: the mark of an export, and an import, which happens in memory: nothing is
 * written anywhere before the homeserver is known to live.
 */
import { configLines } from "./config.js";
import { Core } from "./core.js";
import { EXTENT, IMAGE_MAX, PAGE } from "./interface.js";
import { ownRequest } from "./requests.js";

/** @typedef {import("./instance.js").Instance} Instance */

/** What a page is told when a deed is refused. */
export class RefusedError extends Error {}

/**
 * @param {import("./module.js").Build} build
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {import("./log.js").Log} log
 * @returns {Promise<{ size: number, extents: Uint8Array<ArrayBuffer>[] }>} the image as it lives on
 */
export async function adopt(build, bytes, log) {
  if (bytes.length === 0 || bytes.length % PAGE !== 0) {
    throw new RefusedError("The file is not an exported homeserver, or not the whole of it");
  }
  if (bytes.length > IMAGE_MAX) {
    throw new RefusedError(
      `The homeserver has more than ${IMAGE_MAX} bytes, too many for a browser`,
    );
  }
  const core = await Core.instantiate(build.module, (level, line) =>
    log.add(level, `import: ${line}`),
  );
  for (let at = 0; at < bytes.length; at += EXTENT) {
    core.load(at / EXTENT, 0, bytes.subarray(at, at + EXTENT));
  }
  const config = await configLines(build.section.build, false);
  const { error, why } = core.open(bytes.length, [...config, "import 1"]);
  if (error !== "none") {
    throw new RefusedError(`The file cannot be imported (${error}): ${why}`);
  }
  const size = core.imageSize();
  const extents = Array.from({ length: Math.ceil(size / EXTENT) }, (_, i) => core.extent(i));
  return { size, extents };
}

/**
 * @param {Instance} instance
 * @param {string} method
 * @param {string} path of the core
 * @returns {Promise<Response>}
 */
function askCore(instance, method, path) {
  return new Promise((resolve) => instance.request(ownRequest(method, path, resolve)));
}

/**
 * Marks the homeserver as moved; its instance has nothing to do after that.
 *
 * @param {Instance} instance
 */
export async function mark(instance) {
  const response = await askCore(instance, "POST", "/_neurite/move");
  if (!response.ok) {
    const { error } = await response.json();
    throw new RefusedError(`The homeserver cannot be exported: ${error}`);
  }
}

/**
 * How many people have registered.
 *
 * @param {Instance} instance
 * @returns {Promise<number>}
 */
export async function accountsOf(instance) {
  return (await (await askCore(instance, "GET", "/_neurite/status")).json()).accounts;
}
