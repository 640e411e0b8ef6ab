/**
 * Keeps one instance alive: starts it when it is needed, starts another when it died, moves to a new
 * build. What a single life does is instance.js.
 */
import { configLines } from "./config.js";
import { Core } from "./core.js";
import { Image, TornError, isPrivate, openStorage } from "./image.js";
import { FOLD_AT, Instance } from "./instance.js";
import { takeLock } from "./lock.js";
import { ModuleError, downloadModule, keepModule, keptModule } from "./module.js";
import { RefusedError, accountsOf, adopt, mark } from "./moving.js";
import { Poison } from "./poison.js";
import { rehearse } from "./rehearsal.js";
import { errorResponse, fullResponse, isRead } from "./requests.js";

/** @typedef {import("./requests.js").Held} Held */
/** @typedef {import("./instance.js").Death} Death */
/** @typedef {import("./module.js").Build} Build */
/** @typedef {{ when: number, at: number, reason: string, text: string }} DeathNote */

const RUNS_MAX = 2;
const DEATHS_KEPT = 20;
const QUICK_DEATHS_MS = 10_000;
const PAUSE_MAX_MS = 30_000;
const PROBE_SIZE = 1024 * 1024;
const PROBE_EVERY_MS = 2000;
const WRITES_WAIT_MS = 5000;
const LOOK_MS = 50;

const PRIVATE =
  "This is a private window: its homeserver lives in memory, and is gone when the last one closes.";

const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Homeserver {
  #log;
  /** @type {Instance | null} */
  #instance = null;
  /** @type {Promise<Instance> | null} */
  #starting = null;
  /** @type {Promise<void> | null} */
  #checking = null;
  /** @type {Build | null} */
  #build = null;
  /** @type {string | null} the newest answer of the server that was looked at */
  #etag = null;
  /** @type {IDBDatabase | null} */
  #storage = null;
  /** @type {Image | null} */
  #image = null;
  #poison = new Poison();
  #readOnly = false;
  #folding = { at: FOLD_AT };
  #probed = -Infinity;
  #serverName = "";
  /** @type {DeathNote[]} */
  #deaths = [];
  /** @type {Set<() => void>} */
  #watchers = new Set();
  /** Why it does not start, or why a new build is not used. */
  #trouble = "";
  /** What is so for as long as this worker lives. */
  #standing = "";

  /** @param {import("./log.js").Log} log */
  constructor(log) {
    this.#log = log;
  }

  /**
   * Takes a request, now or when there is an instance; it is always answered.
   *
   * @param {Held} held
   */
  async request(held) {
    try {
      let instance = await this.ready();
      if (this.#readOnly && !isRead(held) && (await this.#canWriteAgain())) {
        instance = await this.ready();
      }
      instance.request(held);
    } catch (error) {
      held.answer(errorResponse(503, "M_UNKNOWN", messageOf(error)));
    }
  }

  /** @returns {Promise<Instance>} the one instance; all who ask during a start wait for the same */
  ready() {
    if (this.#instance) {
      return Promise.resolve(this.#instance);
    }
    this.#starting ??= this.#start().finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  async #start() {
    const wait = this.#pauseBeforeStart();
    if (wait > 0) {
      await pause(wait);
    }
    const begin = performance.now();
    const finding = this.#findBuild();
    finding.catch(() => {});
    const release = await takeLock(() =>
      this.#instance?.die({ reason: "fence", text: "another instance took the lock" }),
    );
    try {
      const opening = this.#openImage();
      opening.catch(() => {});
      const { build, fresh } = await finding;
      const [core, image, config, hasNoDisk] = await Promise.all([
        Core.instantiate(build.module, (level, line) => this.#log.add(level, line)),
        opening,
        configLines(build.section.build, this.#readOnly),
        isPrivate(),
      ]);
      this.#standing = hasNoDisk ? PRIVATE : "";
      image.parts.forEach(([index, offset, bytes]) => core.load(index, offset, bytes));
      const { error, why } = core.open(image.size, config);
      if (error === "refused") {
        throw new Error(why); // it has moved
      }
      if (error !== "none") {
        throw new Error(`The homeserver's database cannot be opened (${error}): ${why}`);
      }
      this.#build = build;
      this.#image = image.image;
      this.#serverName = core.serverName();
      await this.#poison.load(image.image);
      this.#live(core, image.image, release);
      setTimeout(() => void this.check(), 0);
      if (fresh) {
        await keepModule(fresh).catch((failed) => this.#log.error(`keeping the build: ${failed}`));
      }
      this.#trouble = "";
      const took = Math.round(performance.now() - begin);
      this.#log.info(
        `started build ${build.section.build} in ${took} ms, image ${image.size} bytes`,
      );
      return /** @type {Instance} */ (/** @type {unknown} */ (this.#instance));
    } catch (error) {
      release();
      if (this.#trouble !== messageOf(error)) {
        this.#trouble = messageOf(error);
        this.#log.error(`start: ${this.#trouble}`); // not again with each request that tries
      }
      throw error;
    }
  }

  /**
   * @param {Core} core
   * @param {Image} image
   * @param {() => void} release
   */
  #live(core, image, release) {
    this.#instance = new Instance({
      core,
      image,
      folding: this.#folding,
      onDeath: (death, held) => {
        release();
        this.#instance = null;
        void this.#bury(death, held, image);
      },
      onLinkChange: () => this.#changed(),
      isPoison: (input) => this.#poison.isRefused(input),
    });
    this.#changed();
  }

  /** Deaths in quick succession: the next life waits a little longer each time. */
  #pauseBeforeStart() {
    const recent = this.#deaths.filter(
      ({ at, reason }) => reason !== "stop" && at > performance.now() - QUICK_DEATHS_MS,
    ).length;
    return recent < 4 ? 0 : Math.min(PAUSE_MAX_MS, 250 * 2 ** (recent - 4));
  }

  /** @returns {Promise<{ build: Build, fresh?: import("./module.js").Download }>} */
  async #findBuild() {
    if (this.#build) {
      return { build: this.#build };
    }
    const kept = await keptModule();
    if (kept) {
      this.#etag = kept.etag;
      return { build: kept };
    }
    const fresh = await downloadModule(null);
    if (!fresh) {
      throw new ModuleError("the server has nothing new, and there is nothing old");
    }
    this.#etag = fresh.etag;
    return { build: fresh, fresh };
  }

  async #openStorage() {
    if (!this.#storage) {
      const storage = await openStorage();
      const lost = () => {
        storage.close();
        this.#storage = null;
      };
      storage.onclose = lost;
      storage.onversionchange = lost;
      this.#storage = storage;
    }
    return this.#storage;
  }

  /** Raises the generation, then reads. What cannot be read is set aside, and the image is empty. */
  async #openImage() {
    const storage = await this.#openStorage();
    for (;;) {
      const image = new Image(storage);
      await image.fence().catch((error) => this.#notFenced(error));
      /** @type {[index: number, offset: number, bytes: Uint8Array][]} */
      const parts = [];
      try {
        const size = await image.load((...part) => parts.push(part));
        return { image, size, parts };
      } catch (error) {
        if (!(error instanceof TornError)) {
          throw error;
        }
        this.#log.error(`the image is set aside: ${error.message}`);
        await image.setAside(error.message);
      }
    }
  }

  /** @param {any} error of raising the generation */
  #notFenced(error) {
    if (error?.name !== "QuotaExceededError") {
      throw error;
    }
    this.#readOnly = true; // nothing can be written, so nothing has to be fenced off
    this.#log.error("the storage is full: reading only");
  }

  /**
   * After a death: counts a poisoned input, answers or repeats what was held, lives again.
   *
   * @param {Death} death
   * @param {Held[]} held
   * @param {Image} image
   */
  async #bury(death, held, image) {
    const { reason, text, poison } = death;
    this.#deaths.push({ when: Date.now(), at: performance.now(), reason, text });
    this.#deaths.splice(0, this.#deaths.length - DEATHS_KEPT);
    const isWanted = reason === "stop" || reason === "swap" || reason === "move";
    this.#log.add(isWanted ? 2 : 0, `ended (${reason}): ${text}`);
    this.#readOnly ||= reason === "full";
    if (poison) {
      await this.#poison.add(poison, image).catch((error) => this.#log.error(String(error)));
    }
    for (const one of held) {
      this.#answerHeld(one, death);
    }
    if (reason !== "stop" && reason !== "swap" && reason !== "move") {
      this.ready().catch(() => {}); // the relay is waiting, whether or not a page is
    }
  }

  /**
   * None of them left a trace in the durable image. A read is run again by the next instance; a write
   * gets the error, and nothing is said at all by an instance that another one has replaced.
   *
   * @param {Held} held
   * @param {Death} death
   */
  #answerHeld(held, { reason, text, poison }) {
    const again = isRead(held) && held !== poison?.held;
    if (reason === "fence") {
      held.answer(Response.error());
    } else if (reason === "stop") {
      held.answer(errorResponse(503, "M_UNKNOWN", "The homeserver was stopped"));
    } else if (
      reason === "swap" || reason === "move"
        ? again || hasRequestId(held)
        : again && held.runs < RUNS_MAX
    ) {
      void this.request(held);
    } else if (reason === "full") {
      held.answer(fullResponse());
    } else {
      held.answer(errorResponse(500, "M_UNKNOWN", `The homeserver had to start again: ${text}`));
    }
  }

  /** In read-only times, asked before a write: true when an instance that writes will be there. */
  async #canWriteAgain() {
    if (!this.#image || performance.now() - this.#probed < PROBE_EVERY_MS) {
      return false;
    }
    this.#probed = performance.now();
    if (!(await this.#image.probe(PROBE_SIZE))) {
      return false;
    }
    this.#log.info("the storage takes data again");
    this.#readOnly = false;
    this.#instance?.die({ reason: "swap", text: "to write again" });
    return true;
  }

  /* --- living elsewhere --------------------------------------------------------------------- */

  /**
   * Runs work with no instance alive and all requests waiting; then there is a start.
   *
   * @template T
   * @param {(last: Instance | null) => Promise<T>} work gets the one that was, quiet and to be ended
   * @returns {Promise<T>}
   */
  async #alone(work) {
    while (this.#starting) {
      await this.#starting.catch(() => {});
    }
    const last = this.#instance;
    this.#instance = null;
    const working = this.#quiet(last).then(() => work(last));
    this.#starting = working
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        last?.die({ reason: "move", text: "it starts again" });
        return this.#start();
      })
      .finally(() => {
        this.#starting = null;
      });
    this.#starting.catch(() => {});
    return working;
  }

  /** @param {Instance | null} instance that no request reaches any more */
  async #quiet(instance) {
    const until = performance.now() + WRITES_WAIT_MS;
    while (instance && !instance.dead && instance.hasWrites() && performance.now() < until) {
      await pause(LOOK_MS);
    }
    await instance?.quiet();
  }

  /**
   * Marks the homeserver as moved and gives its image. One that does not start is given as it lies
   * there: it was marked before, or it is for looking at only.
   *
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async moveOut() {
    await this.ready().catch(() => {});
    return this.#alone(async (last) => {
      if (last) {
        await mark(last);
        last.die({ reason: "move", text: "it was exported" });
      }
      const image = new Image(await this.#openStorage());
      if (last) {
        await image.fence(); // what is read now is the last word
      }
      return image.raw();
    });
  }

  /**
   * An image that was set aside.
   *
   * @param {number} number
   */
  async aside(number) {
    return new Image(await this.#openStorage()).raw(number);
  }

  /**
   * Replaces a homeserver that nobody uses yet, or that has moved or does not start, by an exported one.
   *
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  async moveIn(bytes) {
    const instance = await this.ready().catch(() => null);
    if (instance && (await accountsOf(instance)) > 0) {
      throw new RefusedError("A homeserver is in use here: export or reset that one first");
    }
    const { size, extents } = await adopt((await this.#findBuild()).build, bytes, this.#log);
    await this.#alone(async (last) => {
      last?.die({ reason: "move", text: "another homeserver is imported" });
      const image = new Image(await this.#openStorage());
      await image.fence();
      await image.replace(size, extents, "another homeserver was imported in its place");
    });
    await this.ready();
  }

  /** Deletes the homeserver and whatever was set aside; the next start makes a new one. */
  async reset() {
    await this.#alone(async (last) => {
      last?.die({ reason: "move", text: "it is deleted" });
      const image = new Image(await this.#openStorage());
      await image.fence();
      await image.clear();
      this.#deaths = [];
      this.#readOnly = false;
    });
    await this.ready();
  }

  /** Drops the instance, as the status page's button does. */
  stop() {
    this.#instance?.die({ reason: "stop", text: "asked to" });
  }

  /* --- another build ------------------------------------------------------------------------ */

  /**
   * Looks whether the server has another build, and moves to it. One look at a time.
   *
   * @returns {Promise<void>}
   */
  check() {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async #check() {
    const build = this.#build;
    if (!build || !this.#instance) {
      return; // a start looks for itself
    }
    try {
      const download = await downloadModule(this.#etag);
      if (download) {
        this.#etag = download.etag;
        this.#trouble = "";
        if (download.section.build !== build.section.build) {
          await this.#swap(build, download);
        }
      }
    } catch (error) {
      await this.#refused(build, error);
    }
  }

  /**
   * @param {Build} build that goes on
   * @param {unknown} error
   */
  async #refused(build, error) {
    if (!(error instanceof ModuleError) || error.etag === null) {
      this.#log.add(3, `looking for a new build: ${messageOf(error)}`);
      return; // the server is away, or the file is: what runs, runs
    }
    this.#etag = error.etag;
    if (error.foreign && (await newerWorker())) {
      return;
    }
    this.#trouble = `${error.message}. Build ${build.section.build} goes on.`;
    this.#log.error(this.#trouble);
  }

  /**
   * @param {Build} old
   * @param {import("./module.js").Download} download
   */
  async #swap(old, download) {
    const { build } = download.section;
    this.#log.info(`build ${build} is there; rehearsing it on a copy of the image`);
    const trouble = await rehearse(download, await this.#openStorage(), this.#log);
    if (trouble) {
      this.#trouble = `Build ${build} is not used: ${trouble}. Build ${old.section.build} goes on.`;
      this.#log.error(this.#trouble);
      return;
    }
    this.#starting ??= this.#replace(old, download).finally(() => {
      this.#starting = null;
    });
    await this.#starting;
  }

  /**
   * Ends the old instance when all it said is durable, and starts on the new build; requests wait.
   *
   * @param {Build} old
   * @param {import("./module.js").Download} download
   * @returns {Promise<Instance>}
   */
  async #replace(old, download) {
    const instance = this.#instance;
    this.#instance = null;
    await this.#quiet(instance);
    instance?.die({ reason: "swap", text: `for build ${download.section.build}` });
    this.#build = download;
    try {
      const next = await this.#start();
      await keepModule(download).catch((error) => this.#log.error(`keeping the build: ${error}`));
      return next;
    } catch (error) {
      this.#build = old;
      const next = await this.#start();
      this.#trouble = `Build ${download.section.build} did not start: ${messageOf(error)}`;
      return next;
    }
  }

  /* --- what others ask ---------------------------------------------------------------------- */

  #changed() {
    this.#watchers.forEach((watcher) => watcher());
  }

  /** @returns {"up" | "down" | "none" | "unknown"} */
  relay() {
    return this.#instance?.links.state() ?? "unknown";
  }

  /**
   * Resolves when a link opens or closes, an instance starts, or after so many milliseconds.
   *
   * @param {number} ms
   * @returns {Promise<void>}
   */
  change(ms) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#watchers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#watchers.add(done);
    });
  }

  get build() {
    return this.#build?.section ?? null;
  }

  /** What people should know of, if there is anything. */
  get notice() {
    return this.#trouble || this.#standing;
  }

  /** Facts for the status page. */
  async facts() {
    const instance = this.#instance;
    return {
      server_name: this.#serverName,
      build: this.#build?.section ?? null,
      notice: this.notice,
      read_only: this.#readOnly,
      generation: this.#image?.generation ?? 0,
      uptime_ms: instance ? Math.round(performance.now() - instance.started) : 0,
      requests_open: instance?.heldCount ?? 0,
      links: instance?.links.describe() ?? [],
      database_bytes: instance?.imageSize ?? 0,
      log_bytes: this.#image?.logBytes ?? 0,
      flushes: instance?.flushes ?? 0,
      folds: instance?.folds ?? 0,
      commit_ms: instance?.commitTimes ?? [],
      deaths: this.#deaths.map(({ when, reason, text }) => ({ when, reason, text })),
      refused_inputs: this.#poison.list(),
      set_aside: (await this.#image?.asides()) ?? [],
    };
  }
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {Held} held */
function hasRequestId(held) {
  return new TextDecoder("latin1").decode(held.head).includes("\r\nneurite-request-id:");
}

/** @returns {Promise<boolean>} true when a newer worker is coming, which may know another interface */
async function newerWorker() {
  const { registration } = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
  try {
    await registration.update();
  } catch {
    return false;
  }
  return registration.installing !== null || registration.waiting !== null;
}
