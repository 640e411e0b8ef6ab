/**
 * A reporter for Playwright: a line for each step of the scenario as it ends, a verdict at the end, and
 * all of it with the figures in verdict.json.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @typedef {import("@playwright/test/reporter").TestCase} TestCase */
/** @typedef {import("@playwright/test/reporter").TestResult} TestResult */
/**
 * @typedef {object} Row
 * @property {string} order who went first
 * @property {string} step
 * @property {string} status passed, failed, timedOut, skipped, interrupted
 * @property {number} seconds
 * @property {string} [error]
 */

/** @implements {import("@playwright/test/reporter").Reporter} */
export default class Verdict {
  /** @type {Row[]} */
  #rows = [];
  /** @type {Record<string, Record<string, unknown>>} */
  #figures = {};
  #expected = 0;
  #started = new Date();
  #errors = 0;

  /**
   * @param {import("@playwright/test/reporter").FullConfig} _config
   * @param {import("@playwright/test/reporter").Suite} suite
   */
  onBegin(_config, suite) {
    this.#expected = suite.allTests().length;
    console.log(`Two browsers, ${this.#expected} steps:`);
  }

  /**
   * @param {TestCase} test
   * @param {TestResult} result
   */
  onTestEnd(test, result) {
    const order = test.parent.project()?.name ?? "";
    const step = test.titlePath().slice(3).join(": ");
    const seconds = Math.round(result.duration / 100) / 10;
    const error = result.errors[0];
    const text = (error?.message ?? "").replace(/\x1b\[[0-9;]*m/g, "");
    this.#rows.push({ order, step, status: result.status, seconds, ...(error && { error: text }) });
    for (const { type, description } of result.annotations) {
      if (type === "figure" && description !== undefined) {
        const { name, value } = JSON.parse(description);
        (this.#figures[order] ??= {})[name] = value;
      }
    }
    const sign = result.status === "passed" ? "ok    " : "not ok";
    console.log(`${sign} ${order}  ${step} (${seconds} s)`);
    if (result.status !== "passed") {
      const where = result.errors[0]?.location;
      console.log(text.replace(/^/gm, "       ").split("\n").slice(0, 30).join("\n"));
      console.log(where ? `       at ${where.file}:${where.line}` : `       ${result.status}`);
    }
  }

  /** @param {import("@playwright/test/reporter").TestError} error */
  onError(error) {
    this.#errors += 1;
    console.log(error.stack ?? error.message ?? "an error without a message");
  }

  /** @param {import("@playwright/test/reporter").FullResult} result */
  onEnd(result) {
    const passed = this.#rows.filter(({ status }) => status === "passed").length;
    const isGood = result.status === "passed" && passed === this.#expected && this.#errors === 0;
    const verdict = {
      verdict: isGood ? "passed" : "failed",
      started: this.#started.toISOString(),
      seconds: Math.round(result.duration / 1000),
      relay: process.env.RELAY || "neurite",
      passed,
      expected: this.#expected,
      figures: this.#figures,
      steps: this.#rows,
    };
    const folder = process.env.ARTIFACTS ?? "../artifacts";
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "verdict.json"), `${JSON.stringify(verdict, null, 2)}\n`);
    for (const [order, figures] of Object.entries(this.#figures)) {
      for (const [name, value] of Object.entries(figures)) {
        console.log(`     ${order}  ${name}: ${JSON.stringify(value)}`);
      }
    }
    console.log(`${passed} of ${this.#expected} steps passed in ${verdict.seconds} s`);
  }

  printsToStdio() {
    return true;
  }
}
