/**
 * The durable copy of the database, in IndexedDB: extents of 256 KiB, and a log with one record for
 * each flush, folded into the extents now and then. A record of each kind carries a checksum.
 *
 * The fence: every write is a strict transaction that first reads the generation and aborts unless
 * this instance wrote it, since a stopped worker's last transaction may complete after its successor
 * has loaded. Writes never overlap: each waits for the one before.
 *
 * An image that cannot be read is set aside: a new number becomes the current one, and the records of
 * the old number stay as they are.
 */
import { EXTENT, IMAGE_MAX, PAGE } from "./interface.js";

const DATABASE = "neurite";
const FORMAT = 1;
const STORES = ["meta", "extents", "log"];
const PAGES_OF_EXTENT = EXTENT / PAGE;
const PAGES_MAX = IMAGE_MAX / PAGE;

/** @typedef {{ format: number, size: number, turn: number, first: number, next: number }} Head */
/** @typedef {{ bytes: Uint8Array<ArrayBuffer>, sum: number }} Extent */
/**
 * @typedef {{ turn: number, generation: number, size: number, pages: Uint32Array<ArrayBuffer>,
 *   bytes: Uint8Array<ArrayBuffer>, sum: number }} LogRecord
 */
/** @typedef {{ image: number, why: string, when: number }} Aside */
/** @typedef {{ head: Head, logBytes: number, logged: Set<number> }} After what a write leaves behind */

/** This instance's generation is no longer the newest: another one has taken over. */
export class FenceError extends Error {}
/** The image is damaged. */
export class TornError extends Error {}

/** @returns {Promise<IDBDatabase>} */
export function openStorage() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () =>
      STORES.forEach((name) => request.result.createObjectStore(name));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("another version of the storage is open"));
  });
}

/**
 * Whether the storage ends with the window: Firefox shows it by refusing files. Chromium lets no page
 * know, so there the answer is always no.
 *
 * @returns {Promise<boolean>}
 */
export async function isPrivate() {
  try {
    await navigator.storage.getDirectory();
    return false;
  } catch (error) {
    return error instanceof DOMException && error.name === "SecurityError";
  }
}

/**
 * FNV-1a over 32-bit words: to tell a torn record, not a forged one.
 *
 * @param {Uint8Array<ArrayBuffer>} bytes a multiple of four, as pages are
 */
export function checksum(bytes) {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
  let sum = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) {
    sum = Math.imul(sum ^ words[i], 0x01000193);
  }
  return sum >>> 0;
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @param {IDBTransaction} transaction
 * @returns {Promise<void>}
 */
function completed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("transaction aborted"));
  });
}

/** @param {number} image */
const all = (image) => IDBKeyRange.bound([image], [image, []]);

export class Image {
  #storage;
  #generation = 0;
  #current = 0;
  /** @type {Head} */
  #head = { format: FORMAT, size: 0, turn: 0, first: 0, next: 0 };
  /** @type {Set<number>} extents with pages in the log */
  #logged = new Set();
  #logBytes = 0;
  /** @type {Promise<unknown>} the last write */
  #last = Promise.resolve();

  /** @param {IDBDatabase} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  get size() {
    return this.#head.size;
  }

  get generation() {
    return this.#generation;
  }

  get logBytes() {
    return this.#logBytes;
  }

  /** @param {string[]} stores */
  #strict(stores) {
    return this.#storage.transaction(stores, "readwrite", { durability: "strict" });
  }

  /** Raises the generation: every other instance's writes abort from now on. */
  async fence() {
    const transaction = this.#strict(["meta"]);
    const done = completed(transaction);
    const meta = transaction.objectStore("meta");
    const generation = ((await asked(meta.get("generation"))) ?? 0) + 1;
    meta.put(generation, "generation");
    await done;
    this.#generation = generation;
  }

  /**
   * Reads the image.
   *
   * @param {(index: number, offset: number, bytes: Uint8Array) => void} put
   * @returns {Promise<number>} its size; 0: there is none yet
   */
  async load(put) {
    const transaction = this.#storage.transaction(STORES, "readonly");
    const meta = transaction.objectStore("meta");
    this.#current = (await asked(meta.get("current"))) ?? 0;
    const range = all(this.#current);
    const [head, keys, extents, records] = await Promise.all([
      asked(meta.get(`head:${this.#current}`)),
      asked(transaction.objectStore("extents").getAllKeys(range)),
      asked(transaction.objectStore("extents").getAll(range)),
      asked(transaction.objectStore("log").getAll(range)),
    ]);
    if (head === undefined && keys.length === 0 && records.length === 0) {
      return 0;
    }
    this.#check(head, records);
    const there = this.#putExtents(/** @type {any} */ (keys), extents, put);
    this.#putLog(records, there, put);
    for (let index = 0; index < Math.ceil(head.size / EXTENT); index++) {
      if (!there.has(index)) {
        throw new TornError(`extent ${index} is missing`);
      }
    }
    this.#head = head;
    return head.size;
  }

  /**
   * @param {Head | undefined} head
   * @param {LogRecord[]} records
   */
  #check(head, records) {
    if (head === undefined) {
      throw new TornError("it has no head");
    }
    if (head.format > FORMAT) {
      throw new Error(
        `The homeserver was kept by a newer worker: its image has format ${head.format}, and ` +
          `this one knows ${FORMAT}. Reload the page to get the newer worker`,
      );
    }
    if (head.format !== FORMAT) {
      throw new TornError(`its format is ${head.format}, not ${FORMAT}`);
    }
    if (records.length !== head.next - head.first) {
      throw new TornError(
        `${head.next - head.first} log records expected, ${records.length} there`,
      );
    }
    if (!(head.size <= IMAGE_MAX)) {
      throw new TornError(`its size is ${head.size}`);
    }
  }

  /**
   * @param {[image: number, index: number][]} keys
   * @param {Extent[]} extents
   * @param {(index: number, offset: number, bytes: Uint8Array) => void} put
   */
  #putExtents(keys, extents, put) {
    const there = new Set();
    extents.forEach(({ bytes, sum }, i) => {
      const index = keys[i][1];
      if (bytes.length !== EXTENT || checksum(bytes) !== sum) {
        throw new TornError(`extent ${index} is damaged`);
      }
      put(index, 0, bytes);
      there.add(index);
    });
    return there;
  }

  /**
   * @param {LogRecord[]} records
   * @param {Set<number>} there
   * @param {(index: number, offset: number, bytes: Uint8Array) => void} put
   */
  #putLog(records, there, put) {
    this.#logged.clear();
    this.#logBytes = 0;
    for (const { turn, pages, bytes, sum } of records) {
      if (bytes.length !== pages.length * PAGE || checksum(bytes) !== sum) {
        throw new TornError(`the log record of turn ${turn} is damaged`);
      }
      pages.forEach((page, i) => {
        if (page >= PAGES_MAX) {
          throw new TornError(`the log record of turn ${turn} names page ${page}`);
        }
        const index = Math.floor(page / PAGES_OF_EXTENT);
        const offset = (page % PAGES_OF_EXTENT) * PAGE;
        put(index, offset, bytes.subarray(i * PAGE, (i + 1) * PAGE));
        there.add(index);
        this.#logged.add(index);
      });
      this.#logBytes += bytes.length;
    }
  }

  /**
   * Makes a batch durable, as one more record of the log.
   *
   * @param {number} turn
   * @param {import("./core.js").Batch} batch
   */
  flush(turn, { pages, bytes, size }) {
    const sum = checksum(bytes);
    return this.#write(["meta", "log"], (transaction) => {
      /** @type {LogRecord} */
      const record = { turn, generation: this.#generation, size, pages, bytes, sum };
      transaction.objectStore("log").put(record, [this.#current, this.#head.next]);
      const head = { ...this.#head, size, turn, next: this.#head.next + 1 };
      const logged = pages.map((page) => Math.floor(page / PAGES_OF_EXTENT));
      return {
        head,
        logBytes: this.#logBytes + bytes.length,
        logged: new Set([...this.#logged, ...logged]),
      };
    });
  }

  /**
   * Makes a batch durable together with all that the log holds, as whole extents, and empties the log.
   *
   * @param {number} turn of the batch; of the last flush where pages is empty
   * @param {import("./core.js").Batch} batch
   * @param {(index: number) => Uint8Array<ArrayBuffer>} extent contents as they are with that batch
   */
  fold(turn, { pages, size }, extent) {
    const end = Math.ceil(size / EXTENT);
    const touched = new Set(this.#logged);
    pages.forEach((page) => touched.add(Math.floor(page / PAGES_OF_EXTENT)));
    const extents = [...touched]
      .filter((index) => index < end)
      .map((index) => ({ index, bytes: extent(index) }));
    return this.#write(STORES, (transaction) => {
      const store = transaction.objectStore("extents");
      for (const { index, bytes } of extents) {
        store.put({ bytes, sum: checksum(bytes) }, [this.#current, index]);
      }
      store.delete(IDBKeyRange.bound([this.#current, end], [this.#current, []]));
      transaction.objectStore("log").delete(all(this.#current));
      const head = { ...this.#head, size, turn, first: this.#head.next };
      return { head, logBytes: 0, logged: new Set() };
    });
  }

  /**
   * One write, after the one before it. When it fails all is as it was.
   *
   * @param {string[]} stores
   * @param {(transaction: IDBTransaction) => After} work puts and deletes, no waiting
   */
  #write(stores, work) {
    const write = async () => {
      if (this.#generation === 0) {
        throw new DOMException("the storage took no new generation", "QuotaExceededError");
      }
      const transaction = this.#strict(stores);
      const done = completed(transaction);
      done.catch(() => {});
      const meta = await this.#mine(transaction);
      const after = work(transaction);
      meta.put(after.head, `head:${this.#current}`);
      transaction.commit();
      await done;
      this.#head = after.head;
      this.#logBytes = after.logBytes;
      this.#logged = after.logged;
    };
    const result = this.#last.then(write);
    this.#last = result.catch(() => {});
    return result;
  }

  /**
   * Finds out whether the storage takes n bytes again.
   *
   * @param {number} n
   * @returns {Promise<boolean>}
   */
  async probe(n) {
    try {
      const put = this.#strict(["meta"]);
      put.objectStore("meta").put(crypto.getRandomValues(new Uint8Array(65536)), "probe:0");
      for (let i = 1; i * 65536 < n; i++) {
        put.objectStore("meta").put(crypto.getRandomValues(new Uint8Array(65536)), `probe:${i}`);
      }
      await completed(put);
      const remove = this.#strict(["meta"]);
      remove.objectStore("meta").delete(IDBKeyRange.bound("probe:", "probe;"));
      await completed(remove);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Makes a whole image the current one, all or nothing. The one before it is set aside.
   *
   * @param {number} size
   * @param {Uint8Array<ArrayBuffer>[]} extents
   * @param {string} why
   */
  async replace(size, extents, why) {
    const transaction = this.#strict(STORES);
    const done = completed(transaction);
    done.catch(() => {});
    const meta = await this.#mine(transaction);
    const old = (await asked(meta.get("current"))) ?? 0;
    const current = old + 1;
    if ((await asked(meta.get(`head:${old}`))) !== undefined) {
      const list = (await asked(meta.get("aside"))) ?? [];
      meta.put([...list, { image: old, why, when: Date.now() }], "aside");
    }
    extents.forEach((bytes, index) => {
      transaction.objectStore("extents").put({ bytes, sum: checksum(bytes) }, [current, index]);
    });
    meta.put({ format: FORMAT, size, turn: 0, first: 0, next: 0 }, `head:${current}`);
    meta.put(current, "current");
    await done;
  }

  /** Deletes every image and every fact, all or nothing; only the generation goes on. */
  async clear() {
    const transaction = this.#strict(STORES);
    const done = completed(transaction);
    done.catch(() => {});
    const meta = await this.#mine(transaction);
    STORES.forEach((name) => transaction.objectStore(name).clear());
    meta.put(this.#generation, "generation");
    await done;
  }

  /**
   * The facts, in a transaction of which this instance is the newest.
   *
   * @param {IDBTransaction} transaction
   */
  async #mine(transaction) {
    const meta = transaction.objectStore("meta");
    const newest = await asked(meta.get("generation"));
    if (newest !== this.#generation) {
      transaction.abort();
      throw new FenceError(`generation ${newest} has replaced ${this.#generation}`);
    }
    return meta;
  }

  /**
   * An image as it lies there, whole or not: for looking at it elsewhere.
   *
   * @param {number} [number] the current one if not told
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async raw(number) {
    const transaction = this.#storage.transaction(STORES, "readonly");
    const meta = transaction.objectStore("meta");
    const image = number ?? (await asked(meta.get("current"))) ?? 0;
    const [head, keys, extents, records] = await Promise.all([
      asked(meta.get(`head:${image}`)),
      asked(transaction.objectStore("extents").getAllKeys(all(image))),
      asked(transaction.objectStore("extents").getAll(all(image))),
      asked(transaction.objectStore("log").getAll(all(image))),
    ]);
    /** @type {[at: number, bytes: Uint8Array<ArrayBuffer>][]} */
    const parts = extents.map((extent, i) => [
      /** @type {any} */ (keys[i])[1] * EXTENT,
      extent.bytes,
    ]);
    for (const { pages, bytes } of records) {
      pages.forEach((/** @type {number} */ page, /** @type {number} */ i) =>
        parts.push([page * PAGE, bytes.subarray(i * PAGE, (i + 1) * PAGE)]),
      );
    }
    const inside = parts.filter(([at, bytes]) => at + bytes.length <= IMAGE_MAX);
    const end = inside.reduce((max, [at, bytes]) => Math.max(max, at + bytes.length), 0);
    const whole = new Uint8Array(end);
    inside.forEach(([at, bytes]) => whole.set(bytes, at));
    return whole.slice(0, Math.min(end, head?.size ?? end));
  }

  /**
   * Leaves the image where it is and makes an empty one the current one.
   *
   * @param {string} why
   */
  async setAside(why) {
    /** @type {Aside} */
    const entry = { image: this.#current, why, when: Date.now() };
    const transaction = this.#strict(["meta"]);
    const done = completed(transaction);
    const meta = transaction.objectStore("meta");
    const list = (await asked(meta.get("aside"))) ?? [];
    meta.put([...list, entry], "aside");
    meta.put(this.#current + 1, "current");
    await done;
  }

  /** @returns {Promise<Aside[]>} */
  async asides() {
    const meta = this.#storage.transaction("meta").objectStore("meta");
    return (await asked(meta.get("aside"))) ?? [];
  }

  /**
   * A small fact beside the image.
   *
   * @param {string} name
   * @returns {Promise<any>}
   */
  factGet(name) {
    return asked(this.#storage.transaction("meta").objectStore("meta").get(name));
  }

  /**
   * @param {string} name
   * @param {unknown} value
   */
  async factPut(name, value) {
    const transaction = this.#strict(["meta"]);
    transaction.objectStore("meta").put(value, name);
    await completed(transaction);
  }

  close() {
    this.#storage.close();
  }
}
