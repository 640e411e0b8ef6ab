/**
 * A reporter for Playwright that prints TAP, as every other ring does: one line for each test, with
 * its error before it. Use: playwright test --reporter=../scripts/playwright-tap.mjs
 */
/** @typedef {{ titlePath(): string[] }} Test */
/** @typedef {{ status: string, duration: number, errors: { message?: string, stack?: string }[] }} Result */

export default class TapReporter {
  #count = 0;

  /**
   * @param {Test} test
   * @param {Result} result
   */
  onTestEnd(test, result) {
    const title = test.titlePath().filter(Boolean).join(" > ").replaceAll("#", "\\#");
    for (const error of result.errors) {
      const text = error.stack ?? error.message ?? "";
      console.log(text.replace(/\x1b\[[0-9;]*m/g, "").replace(/^/gm, "# "));
    }
    this.#count += 1;
    const row = `${this.#count} - ${title}`;
    if (result.status === "skipped") {
      console.log(`ok ${row} # SKIP`);
    } else {
      const seconds = (result.duration / 1000).toFixed(1);
      console.log(`${result.status === "passed" ? "ok" : "not ok"} ${row} (${seconds} s)`);
    }
  }

  /** @param {{ message?: string, stack?: string }} error */
  onError(error) {
    console.log(`# ${error.stack ?? error.message ?? error}`);
  }

  printsToStdio() {
    return true;
  }
}
