/** The last lines of the log, for the status page; the console gets them too. */

const LINES_MAX = 500;
const LINE_MAX = 2000;

/** enum log_level of src/hs/hs.h */
export const LEVEL = { ERROR: 0, WARN: 1, INFO: 2, DEBUG: 3 };
const NAMES = ["error", "warn", "info", "debug"];

export class Log {
  /** @type {string[]} */
  #lines = [];

  /**
   * @param {number} level
   * @param {string} text
   */
  add(level, text) {
    const name = NAMES[level] ?? "info";
    const line = `${new Date().toISOString()} ${name} ${text.slice(0, LINE_MAX)}`;
    this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) {
      this.#lines.shift();
    }
    if (level === LEVEL.ERROR) {
      console.error(line);
    } else if (level !== LEVEL.DEBUG) {
      console.log(line);
    }
  }

  /** @param {string} text */
  info(text) {
    this.add(LEVEL.INFO, text);
  }

  /** @param {string} text */
  error(text) {
    this.add(LEVEL.ERROR, text);
  }

  /** @returns {string[]} oldest first */
  lines() {
    return [...this.#lines];
  }
}
