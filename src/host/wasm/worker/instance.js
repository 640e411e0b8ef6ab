/**
 * One life of the homeserver: feeds a core with requests, links, timers and finished flushes, and
 * carries out its effects. It ends by itself in one way only: `die`, which hands back all requests
 * that were not answered. Nothing that the core said after its last durable turn is ever passed on.
 */
import { EFFECT } from "./interface.js";
import { FenceError } from "./image.js";
import { Links } from "./links.js";
import { errorResponse, isRead, writeResponse } from "./requests.js";

/** @typedef {import("./requests.js").Held} Held */
/**
 * Why an instance ended. `poison` is the input that was running at a trap.
 *
 * @typedef {{ reason: "trap" | "full" | "fence" | "storage" | "commit" | "stop" | "swap" | "move", text: string,
 *   poison?: Input }} Death
 */
/** @typedef {{ what: string, bytes: Uint8Array[], held?: Held }} Input */

/** So many bytes in the log are folded into the extents. */
export const FOLD_AT = 4 * 1024 * 1024;

const TIMES_MAX = 1000;
const IDLE_MS = 5000;
const IDLE_FOLD_MIN = 256 * 1024;
const TIMER_MAX_MS = 0x7fffffff;
const decoder = new TextDecoder();

export class Instance {
  #core;
  #image;
  #folding;
  #links;
  #onDeath;
  #isPoison;
  /** @type {Map<bigint, Held>} */
  #held = new Map();
  #lastId = 0n;
  #turnDue = false;
  #flushing = false;
  #dead = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #wake;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #idle;
  /** @type {number[]} milliseconds of the last flushes */
  #times = [];
  /** @type {(() => void)[]} */
  #whenQuiet = [];
  #lastTurn = 0;

  started = performance.now();
  folds = 0;
  flushes = 0;

  /**
   * @param {object} parts
   * @param {import("./core.js").Core} parts.core open
   * @param {import("./image.js").Image} parts.image loaded, fenced
   * @param {{ at: number }} parts.folding how long the log may grow; outlives this instance
   * @param {(death: Death, held: Held[]) => void} parts.onDeath
   * @param {() => void} parts.onLinkChange
   * @param {(input: Input) => boolean} parts.isPoison an input that killed three times
   */
  constructor({ core, image, folding, onDeath, onLinkChange, isPoison }) {
    this.#core = core;
    this.#image = image;
    this.#folding = folding;
    this.#onDeath = onDeath;
    this.#isPoison = isPoison;
    this.#links = new Links(
      {
        up: (link) => this.#input({ what: "link up", bytes: [] }, () => core.linkUp(link)),
        message: (link, message, isText) =>
          this.#input({ what: "link message", bytes: [message] }, () =>
            core.linkMessage(link, message, isText),
          ),
        room: (link, room) =>
          this.#input({ what: "link room", bytes: [] }, () => core.linkRoom(link, room)),
        down: (link, why) =>
          this.#input({ what: "link down", bytes: [] }, () => core.linkDown(link, why)),
      },
      onLinkChange,
    );
    this.#turn();
  }

  get dead() {
    return this.#dead;
  }

  get links() {
    return this.#links;
  }

  get commitTimes() {
    return [...this.#times];
  }

  get heldCount() {
    return this.#held.size;
  }

  get imageSize() {
    return this.#core.imageSize();
  }

  /**
   * Gives the core a request. It is answered through `held.answer`, or handed back by `die`.
   *
   * @param {Held} held
   */
  request(held) {
    const id = ++this.#lastId;
    const bytes = [new TextEncoder().encode(`${held.method} ${held.path}\n`), held.body];
    const [path] = held.path.split("?"); // a query may have a token in it, and this is shown
    const input = { what: `${held.method} ${path}`, bytes, held };
    if (this.#isPoison(input)) {
      held.answer(
        errorResponse(400, "M_UNKNOWN", "This request stopped the homeserver three times"),
      );
      return;
    }
    held.runs++;
    this.#held.set(id, held);
    this.#input(input, () => this.#core.request(id, held.head, held.body));
  }

  /**
   * Runs one input, then ends the turn as soon as the ones that are ready with it are in.
   *
   * @param {Input} input
   * @param {() => void} call
   */
  #input(input, call) {
    if (this.#dead || (input.held === undefined && this.#isPoison(input))) {
      return;
    }
    this.#guard(input, call);
    if (!this.#turnDue) {
      this.#turnDue = true;
      queueMicrotask(() => this.#turn());
    }
  }

  /**
   * @param {Input} input
   * @param {() => void} call
   */
  #guard(input, call) {
    try {
      call();
    } catch (error) {
      const text = `${input.what}: ${error instanceof Error ? error.message : String(error)}`;
      this.die({ reason: "trap", text, poison: input });
    }
  }

  #turn() {
    this.#turnDue = false;
    if (this.#dead) {
      return;
    }
    this.#guard({ what: "turn", bytes: [] }, () => {
      this.#core.turn();
      for (let effect = this.#core.next(); effect; effect = this.#core.next()) {
        if (!this.#carryOut(effect)) {
          return;
        }
      }
    });
    if (!this.#dead && this.#isQuiet()) {
      this.#whenQuiet.splice(0).forEach((resolve) => resolve());
    }
  }

  /**
   * @param {import("./core.js").Effect} effect
   * @returns {boolean} false: this instance is dead
   */
  #carryOut(effect) {
    switch (effect.kind) {
      case EFFECT.RESPOND:
        this.#held.get(effect.id)?.answer(writeResponse(effect));
        this.#held.delete(effect.id);
        return true;
      case EFFECT.SEND:
        this.#links.send(effect.id, effect.bytes, effect.isText);
        return true;
      case EFFECT.DIAL:
        this.#links.dial(effect.id, decoder.decode(effect.bytes));
        return true;
      case EFFECT.CLOSE:
        this.#links.close(effect.id);
        return true;
      case EFFECT.FLUSH:
        void this.#flush(effect.id);
        return !this.#dead;
      case EFFECT.WAKE:
        this.#wakeAt(effect.at);
        return true;
      case EFFECT.RESTART:
        this.die({ reason: "commit", text: "the core asked for a restart" });
        return false;
      default:
        this.die({ reason: "commit", text: `effect ${effect.kind} is unknown` });
        return false;
    }
  }

  /** @param {number} at */
  #wakeAt(at) {
    clearTimeout(this.#wake);
    if (at >= 0) {
      const left = at - Math.floor(performance.now());
      const early = () => (at > performance.now() ? this.#wakeAt(at) : this.#turn());
      this.#wake = setTimeout(early, Math.min(Math.max(0, left), TIMER_MAX_MS));
    }
  }

  /** @param {bigint} turn */
  async #flush(turn) {
    clearTimeout(this.#idle);
    this.#flushing = true;
    const start = performance.now();
    let isFull = false;
    try {
      const batch = this.#core.flushBegin();
      const isLong = this.#image.logBytes > this.#folding.at;
      isFull = isLong && !(await this.#fold(Number(turn), batch));
      if (!isLong || isFull) {
        await this.#image.flush(Number(turn), batch);
      }
    } catch (error) {
      const death = deathOf(error);
      this.die(isFull && death.reason === "storage" ? { ...death, reason: "full" } : death);
      return;
    }
    this.#flushing = false;
    if (this.#dead) {
      return;
    }
    this.flushes++;
    this.#lastTurn = Number(turn);
    this.#times.push(performance.now() - start);
    if (this.#times.length > TIMES_MAX) {
      this.#times.shift();
    }
    this.#idle = setTimeout(() => void this.#foldAtIdle(), IDLE_MS);
    this.#guard({ what: "flushed", bytes: [] }, () => this.#core.flushed(turn, true));
    this.#turn();
  }

  /** With nothing in flight the core's image is the durable one, so that it can be written as it is. */
  async #foldAtIdle() {
    const isShort = this.#image.logBytes < IDLE_FOLD_MIN || this.#folding.at > FOLD_AT;
    if (this.#dead || !this.#isQuiet() || isShort) {
      return;
    }
    const batch = {
      pages: new Uint32Array(),
      bytes: new Uint8Array(),
      size: this.#core.imageSize(),
    };
    try {
      await this.#fold(this.#lastTurn, batch);
    } catch (error) {
      this.die(deathOf(error));
    }
  }

  /**
   * A fold writes more than a record of the log does, so it may not fit where that one still does. The
   * next try is then some way off; a browser may have closed the storage over this one.
   *
   * @param {number} turn
   * @param {import("./core.js").Batch} batch
   * @returns {Promise<boolean>} false: there is no room for it
   */
  async #fold(turn, batch) {
    try {
      await this.#image.fold(turn, batch, (index) => this.#core.extent(index));
      this.folds++;
      this.#folding.at = FOLD_AT;
      return true;
    } catch (error) {
      if (deathOf(error).reason !== "full") {
        throw error;
      }
      this.#folding.at = this.#image.logBytes + FOLD_AT;
      return false;
    }
  }

  #isQuiet() {
    return !this.#flushing && !this.#core.isDirty();
  }

  /** Resolves when all that was committed is durable. New requests must be held off meanwhile. */
  quiet() {
    return new Promise((/** @type {(value: void) => void} */ resolve) => {
      if (this.#dead || this.#isQuiet()) {
        resolve();
      } else {
        this.#whenQuiet.push(resolve);
      }
    });
  }

  /** True while a request that changes something has no answer yet. */
  hasWrites() {
    return [...this.#held.values()].some((held) => !isRead(held));
  }

  /**
   * Ends this life: at once, whatever it was doing.
   *
   * @param {Death} death
   */
  die(death) {
    if (this.#dead) {
      return;
    }
    this.#dead = true;
    clearTimeout(this.#wake);
    clearTimeout(this.#idle);
    this.#links.closeAll();
    const held = [...this.#held.values()];
    this.#held.clear();
    this.#whenQuiet.splice(0).forEach((resolve) => resolve());
    this.#onDeath(death, held);
  }
}

/**
 * @param {any} error of a write to the image
 * @returns {Death}
 */
function deathOf(error) {
  const text = `${error?.name ?? "Error"}: ${error?.message ?? error}`;
  if (error instanceof FenceError) {
    return { reason: "fence", text };
  }
  if (error instanceof WebAssembly.RuntimeError) {
    return { reason: "trap", text };
  }
  return { reason: error?.name === "QuotaExceededError" ? "full" : "storage", text };
}
