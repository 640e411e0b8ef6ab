/**
 * Inputs that stopped the homeserver, by hash: at the third death an input is refused, so that one bad
 * event is no crash loop. Kept beside the image.
 */

export const DEATHS_MAX = 3;
const ENTRIES_MAX = 100;
const FACT = "poison";

/** @typedef {{ hash: string, what: string, deaths: number, when: number }} Entry */
/** @typedef {import("./instance.js").Input} Input */

/**
 * @param {Uint8Array[]} parts
 * @returns {string} FNV-1a, two of them
 */
function hashOf(parts) {
  let a = 0x811c9dc5;
  let b = 0xcbf29ce4;
  for (const part of parts) {
    for (const byte of part) {
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ byte, 0x01000193) ^ (b >>> 15);
    }
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

export class Poison {
  /** @type {Map<string, Entry>} */
  #entries = new Map();

  /** @param {import("./image.js").Image} image */
  async load(image) {
    /** @type {Entry[]} */
    const entries = (await image.factGet(FACT)) ?? [];
    this.#entries = new Map(entries.map((entry) => [entry.hash, entry]));
  }

  /** @param {Input} input */
  isRefused(input) {
    if (this.#entries.size === 0 || input.bytes.length === 0) {
      return false;
    }
    return (this.#entries.get(hashOf(input.bytes))?.deaths ?? 0) >= DEATHS_MAX;
  }

  /**
   * Counts one death. Timers and finished flushes have no bytes to know them by.
   *
   * @param {Input} input
   * @param {import("./image.js").Image} image
   */
  async add(input, image) {
    if (input.bytes.length === 0) {
      return;
    }
    const hash = hashOf(input.bytes);
    const deaths = (this.#entries.get(hash)?.deaths ?? 0) + 1;
    this.#entries.delete(hash);
    this.#entries.set(hash, { hash, what: input.what, deaths, when: Date.now() });
    const entries = [...this.#entries.values()].slice(-ENTRIES_MAX);
    this.#entries = new Map(entries.map((entry) => [entry.hash, entry]));
    await image.factPut(FACT, entries);
  }

  /** @returns {Entry[]} */
  list() {
    return [...this.#entries.values()];
  }
}
