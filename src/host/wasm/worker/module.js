/**
 * Where the module comes from: the last one that worked, kept in the Cache API, or the server. None is
 * used before its custom section and its import and export lists have been checked.
 */
import { EXPORTS, IMPORTS, INTERFACE, SECTION } from "./interface.js";

export const WASM_URL = "/dendrite.wasm";
const CACHE = "neurite-wasm";

/** @typedef {import("./interface.js").Section} Section */
/** @typedef {{ module: WebAssembly.Module, section: Section }} Build */
/** @typedef {Build & { bytes: ArrayBuffer, etag: string | null }} Download */

/** The file is missing, or not for this worker. The message is for people. */
export class ModuleError extends Error {
  /** @type {string | null} which answer of the server it was */
  etag = null;

  /**
   * @param {string} message
   * @param {boolean} foreign it is a homeserver of another interface
   */
  constructor(message, foreign = false) {
    super(message);
    this.foreign = foreign;
  }
}

/**
 * @param {WebAssembly.Module} module
 * @returns {Section}
 */
function readSection(module) {
  const [section] = WebAssembly.Module.customSections(module, SECTION);
  if (!section) {
    throw new ModuleError(
      `${WASM_URL} is not for this page: it has no interface number, and ${INTERFACE} is wanted`,
    );
  }
  return JSON.parse(new TextDecoder().decode(section));
}

/**
 * @param {WebAssembly.Module} module
 * @returns {Build}
 */
export function checkModule(module) {
  const section = readSection(module);
  if (section.interface !== INTERFACE) {
    throw new ModuleError(
      `${WASM_URL} (build ${section.build}) has interface number ${section.interface}, and ` +
        `${INTERFACE} is wanted`,
      true,
    );
  }
  const imports = WebAssembly.Module.imports(module);
  const stranger = imports.find((it) => it.module !== "host" || !IMPORTS.includes(it.name));
  if (stranger) {
    throw new ModuleError(
      `${WASM_URL} (build ${section.build}) imports ${stranger.module}.${stranger.name}, which ` +
        `interface number ${INTERFACE} does not have`,
    );
  }
  const exports = new Set(WebAssembly.Module.exports(module).map((it) => it.name));
  const missing = EXPORTS.find((name) => !exports.has(name));
  if (missing) {
    throw new ModuleError(`${WASM_URL} (build ${section.build}) does not export ${missing}`);
  }
  return { module, section };
}

/** @returns {Promise<(Build & { etag: string | null }) | null>} the last build that worked */
export async function keptModule() {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(WASM_URL);
  if (!kept) {
    return null;
  }
  try {
    const etag = kept.headers.get("etag");
    return { ...checkModule(await WebAssembly.compileStreaming(kept)), etag };
  } catch {
    return null; // of an older worker, or damaged: the server's is as good
  }
}

/** @param {Download} download */
export async function keepModule({ bytes, etag }) {
  const headers = new Headers({ "content-type": "application/wasm" });
  if (etag) {
    headers.set("etag", etag);
  }
  const cache = await caches.open(CACHE);
  await cache.put(WASM_URL, new Response(bytes, { headers }));
}

/**
 * @param {string | null} known the answer of the server that we have
 * @returns {Promise<Download | null>} null: nothing new there
 */
export async function downloadModule(known) {
  const headers = new Headers();
  if (known) {
    headers.set("if-none-match", known);
  }
  let response;
  try {
    response = await fetch(WASM_URL, { headers, cache: "no-store" });
  } catch (error) {
    throw new ModuleError(`${WASM_URL} cannot be fetched: ${error}`);
  }
  if (response.status === 304) {
    return null;
  }
  if (!response.ok) {
    throw new ModuleError(
      `${WASM_URL} is missing: the server answered ${response.status}. Interface number ` +
        `${INTERFACE} is wanted, and none was found`,
    );
  }
  const etag = response.headers.get("etag");
  const bytes = await response.arrayBuffer();
  try {
    checkLength(response.headers, bytes);
    return { ...checkModule(await compile(bytes)), bytes, etag };
  } catch (error) {
    if (error instanceof ModuleError) {
      error.etag = etag;
    }
    throw error;
  }
}

/**
 * @param {Headers} headers
 * @param {ArrayBuffer} bytes
 */
function checkLength(headers, bytes) {
  const length = headers.get("content-length");
  const asIs = headers.get("content-encoding") === null;
  if (length !== null && asIs && Number(length) !== bytes.byteLength) {
    throw new ModuleError(`${WASM_URL} came incomplete: ${bytes.byteLength} of ${length} bytes`);
  }
}

/** @param {ArrayBuffer} bytes */
async function compile(bytes) {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw new ModuleError(`${WASM_URL} is not a WebAssembly module: ${error}`);
  }
}
