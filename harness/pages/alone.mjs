/**
 * What a page does by itself where nobody drives it. The function is sent as text, so it may use
 * nothing but what is inside it.
 */

/**
 * @typedef {object} Alone what it reports
 * @property {string} [error]
 * @property {number} before generation of the homeserver's instance
 * @property {number} after
 * @property {number} quietMs for how long nothing was asked of the worker
 * @property {string[]} refusals answers to the registration that were errors
 * @property {string | null} userId
 */

/**
 * Opens the form for a new account, asks nothing of the worker until its browser has ended it and a
 * minute has passed, then registers once.
 *
 * @param {{ name: string, password: string, leastMs: number }} options
 */
export async function sitAlone({ name, password, leastMs }) {
  const within = 60_000;
  const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const ask = window.fetch.bind(window);
  /** @type {((error: Error) => void)[]} */
  const held = [];
  let isQuiet = false;
  // The keep-alive holds its breath, as that of a page does which the system has frozen.
  window.fetch = (input, init) =>
    isQuiet && String(input).includes("/_neurite/alive")
      ? new Promise((_, reject) => held.push(reject))
      : ask(input, init);

  /** @type {string[]} */
  const refusals = [];
  const { open } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (/** @type {any[]} */ ...args) {
    this.addEventListener("loadend", () => {
      // 401 is how the stages of a registration are told; it is not refused by that.
      if (String(args[1]).includes("/register") && this.status !== 200 && this.status !== 401) {
        refusals.push(`${this.status} ${this.responseText}`);
      }
    });
    return /** @type {any} */ (open).apply(this, args);
  };

  /**
   * @param {string} selector
   * @returns {Promise<HTMLElement>}
   */
  const find = async (selector) => {
    for (const end = Date.now() + within; Date.now() < end; await pause(100)) {
      const found = document.querySelector(selector);
      if (found) {
        return /** @type {HTMLElement} */ (found);
      }
    }
    throw new Error(`${selector} never came: ${document.body.innerText.slice(0, 500)}`);
  };
  const type = async (/** @type {string} */ selector, /** @type {string} */ text) => {
    const input = await find(selector);
    const value = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
    input.focus();
    value?.set?.call(input, text); // past React's own notion of what is in there
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.blur();
  };
  const generation = async () => (await (await ask("/_neurite/status")).json()).worker.generation;

  /** @type {Alone} */
  const report = { before: 0, after: 0, quietMs: 0, refusals, userId: null };
  try {
    (await find(".mx_ButtonCreateAccount")).click();
    await find(".mx_Login_submit:not([disabled])");
    report.before = await generation();
    const began = Date.now();
    isQuiet = true;
    await ask("/front/asleep");
    await pause(Math.max(0, began + leastMs - Date.now()));
    report.quietMs = Date.now() - began;
    await type("#mx_RegistrationForm_username", name);
    await type("#mx_RegistrationForm_password", password);
    await type("#mx_RegistrationForm_passwordConfirm", password);
    (await find(".mx_Login_submit:not([disabled])")).click();
    await find(".neurite_DisplayNameDialog");
    isQuiet = false;
    held.splice(0).forEach((reject) => reject(new Error("frozen")));
    report.after = await generation();
    report.userId = localStorage.getItem("mx_user_id");
  } catch (error) {
    report.error = String(error);
  }
  await ask("/front/report", { method: "POST", body: JSON.stringify(report) });
}
