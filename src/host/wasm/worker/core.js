/**
 * One instance of the module: its exports with JavaScript's types in place of numbers. It calls, and
 * is called back for, nothing but what docs/host-interface.md lists. A trap comes out as
 * WebAssembly.RuntimeError; the instance is then dead.
 */
import { EFFECT, ERRORS, EXTENT, PAGE } from "./interface.js";

/**
 * @typedef {object} Effect
 * @property {number} kind
 * @property {number} status
 * @property {bigint} id
 * @property {number} at milliseconds of performance.now(), -1: never
 * @property {boolean} isText
 * @property {Uint8Array<ArrayBuffer>} head a copy
 * @property {Uint8Array<ArrayBuffer>} bytes a copy
 */

/** @typedef {{ pages: Uint32Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>, size: number }} Batch */

const RANDOM_MAX = 65536;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Core {
  /** @type {any} the module's exports */
  #wasm;
  /** @type {number} */
  #self = 0;
  /** @type {Uint8Array<ArrayBuffer>} */
  #bytes = new Uint8Array();
  /** @type {DataView} */
  #view = new DataView(new ArrayBuffer(0));

  /**
   * @param {WebAssembly.Module} module
   * @param {(level: number, line: string) => void} onLog
   * @returns {Promise<Core>} with an empty image
   */
  static async instantiate(module, onLog) {
    const core = new Core();
    const host = {
      /** @type {(at: number, n: number) => void} */
      random: (at, n) => {
        for (let done = 0; done < n; done += RANDOM_MAX) {
          const step = Math.min(RANDOM_MAX, n - done);
          crypto.getRandomValues(
            core.#memory().subarray((at >>> 0) + done, (at >>> 0) + done + step),
          );
        }
      },
      /** @type {(level: number, at: number, n: number) => void} */
      log: (level, at, n) => onLog(level, decoder.decode(core.#copy(at, n))),
    };
    const instance = await WebAssembly.instantiate(module, { host });
    core.#wasm = instance.exports;
    core.#wasm._initialize();
    core.#self = core.#wasm.hs_new();
    return core;
  }

  /** The memory as it is now: growing it gives it another buffer. */
  #memory() {
    const { buffer } = this.#wasm.memory;
    if (this.#bytes.buffer !== buffer) {
      this.#bytes = new Uint8Array(buffer);
      this.#view = new DataView(buffer);
    }
    return this.#bytes;
  }

  /**
   * @param {number} at
   * @param {number} n
   */
  #copy(at, n) {
    return this.#memory().slice(at >>> 0, (at >>> 0) + (n >>> 0));
  }

  /**
   * Lends texts to a call, in the module's memory.
   *
   * @param {Uint8Array[]} texts
   * @param {(...places: number[]) => any} call gets pointer and length of each
   */
  #with(texts, call) {
    const places = texts.flatMap((text) => {
      const at = this.#wasm.hs_alloc(text.length) >>> 0;
      this.#memory().set(text, at);
      return [at, text.length];
    });
    const result = call(...places);
    for (let i = 0; i < places.length; i += 2) {
      this.#wasm.hs_free(places[i]);
    }
    return result;
  }

  /** @returns {[mono: bigint, unix: bigint]} */
  #now() {
    return [BigInt(Math.floor(performance.now())), BigInt(Date.now())];
  }

  /**
   * Puts a part of the image in place, before open.
   *
   * @param {number} index of the extent
   * @param {number} offset inside it
   * @param {Uint8Array} bytes
   */
  load(index, offset, bytes) {
    const at = this.#wasm.hs_image_extent(this.#self, index) >>> 0;
    if (at === 0 || offset + bytes.length > EXTENT) {
      throw new Error(`the image has no extent ${index}`);
    }
    this.#memory().set(bytes, at + offset);
  }

  /**
   * @param {number} size of the loaded image, in bytes
   * @param {string[]} config lines "name value"
   * @returns {{ error: string, why: string }} error is "none" when it is open
   */
  open(size, config) {
    if (!this.#wasm.hs_image_loaded(this.#self, size)) {
      return { error: "limit", why: `an image of ${size} bytes is too large` };
    }
    const lines = encoder.encode(config.map((line) => `${line}\n`).join(""));
    const number = this.#with([lines], (at, n) =>
      this.#wasm.hs_open(this.#self, ...this.#now(), at, n),
    );
    const why = this.#copy(this.#wasm.hs_why(this.#self), this.#wasm.hs_why_n(this.#self));
    return { error: ERRORS[number] ?? `number ${number}`, why: decoder.decode(why) };
  }

  serverName() {
    const at = this.#wasm.hs_server_name(this.#self);
    return decoder.decode(this.#copy(at, this.#wasm.hs_server_name_n(this.#self)));
  }

  /**
   * @param {bigint} id
   * @param {Uint8Array} head
   * @param {Uint8Array} body
   */
  request(id, head, body) {
    this.#with([head, body], (...places) =>
      this.#wasm.hs_request(this.#self, ...this.#now(), id, ...places),
    );
  }

  /** @param {bigint} id */
  requestGone(id) {
    this.#wasm.hs_request_gone(this.#self, ...this.#now(), id);
  }

  /** @param {bigint} link */
  linkUp(link) {
    this.#wasm.hs_link_up(this.#self, ...this.#now(), link);
  }

  /**
   * @param {bigint} link
   * @param {Uint8Array} message
   * @param {boolean} isText
   */
  linkMessage(link, message, isText) {
    this.#with([message], (at, n) =>
      this.#wasm.hs_link_message(this.#self, ...this.#now(), link, at, n, isText ? 1 : 0),
    );
  }

  /**
   * @param {bigint} link
   * @param {number} room
   */
  linkRoom(link, room) {
    this.#wasm.hs_link_room(this.#self, ...this.#now(), link, room);
  }

  /**
   * @param {bigint} link
   * @param {string} why
   */
  linkDown(link, why) {
    this.#with([encoder.encode(why)], (at, n) =>
      this.#wasm.hs_link_down(this.#self, ...this.#now(), link, at, n),
    );
  }

  /**
   * @param {bigint} turn
   * @param {boolean} ok
   */
  flushed(turn, ok) {
    this.#wasm.hs_flushed(this.#self, ...this.#now(), turn, ok ? 1 : 0);
  }

  turn() {
    this.#wasm.hs_turn(this.#self, ...this.#now());
  }

  isDirty() {
    return this.#wasm.hs_is_dirty(this.#self) !== 0;
  }

  /** @returns {Effect | null} */
  next() {
    const at = this.#wasm.hs_next(this.#self) >>> 0;
    if (at === 0) {
      return null;
    }
    this.#memory();
    const view = this.#view;
    const word = (/** @type {number} */ offset) => view.getUint32(at + offset, true);
    const kind = word(0);
    const carries = kind === EFFECT.RESPOND || kind === EFFECT.SEND || kind === EFFECT.DIAL;
    return {
      kind,
      status: word(4),
      id: view.getBigUint64(at + 8, true),
      at: Number(view.getBigInt64(at + 16, true)),
      isText: word(24) !== 0,
      head: carries ? this.#copy(word(28), word(32)) : new Uint8Array(),
      bytes: carries ? this.#copy(word(36), word(40)) : new Uint8Array(),
    };
  }

  imageSize() {
    return this.#wasm.hs_image_size(this.#self) >>> 0;
  }

  /** @returns {Batch} copies of all pages changed since the last batch; `flushed` ends it */
  flushBegin() {
    const n = this.#wasm.hs_flush_begin(this.#self);
    const list = this.#copy(this.#wasm.hs_flush_pages(this.#self), n * 4);
    const pages = new Uint32Array(list.buffer);
    const bytes = new Uint8Array(n * PAGE);
    pages.forEach((page, i) => bytes.set(this.#page(page), i * PAGE));
    return { pages, bytes, size: this.imageSize() };
  }

  /** @param {number} page */
  #page(page) {
    const at = this.#wasm.hs_page(this.#self, page) >>> 0;
    return this.#memory().subarray(at, at + PAGE);
  }

  /**
   * @param {number} index
   * @returns {Uint8Array<ArrayBuffer>} a copy, zeros behind the end of the file
   */
  extent(index) {
    const bytes = new Uint8Array(EXTENT);
    const pages = Math.ceil(this.imageSize() / PAGE);
    for (let i = 0; i < EXTENT / PAGE && (index * EXTENT) / PAGE + i < pages; i++) {
      bytes.set(this.#page((index * EXTENT) / PAGE + i), i * PAGE);
    }
    return bytes;
  }
}
