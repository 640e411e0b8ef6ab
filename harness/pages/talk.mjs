/** Talking in the room that is open, and what its timeline shows. */
import { expect } from "@playwright/test";

/** @typedef {import("./person.mjs").Person} Person */
/** @typedef {import("@playwright/test").Locator} Locator */

const COMPOSER = ".mx_SendMessageComposer .mx_BasicMessageComposer_input";
const EDITOR = ".mx_EditMessageComposer .mx_BasicMessageComposer_input";

export class Talk {
  /** @param {Person} person */
  constructor(person) {
    this.person = person;
  }

  get page() {
    return this.person.page;
  }

  /**
   * Types a message as a person does: a new line is Shift+Enter.
   *
   * @param {string} text
   */
  async write(text) {
    await this.page.locator(COMPOSER).click();
    const [first, ...rest] = text.split("\n");
    await this.page.keyboard.type(first);
    for (const line of rest) {
      await this.page.keyboard.press("Shift+Enter");
      await this.page.keyboard.type(line);
    }
  }

  /**
   * Puts a long text in at once, as from the clipboard.
   *
   * @param {string} text
   */
  async paste(text) {
    await this.page.locator(COMPOSER).click();
    await this.page.keyboard.insertText(text);
  }

  async enter() {
    await this.page.keyboard.press("Enter");
  }

  /** @param {string} text */
  async send(text) {
    await this.write(text);
    await this.enter();
  }

  /** Empties the composer. */
  async clear() {
    await this.page.locator(COMPOSER).click();
    await this.page.keyboard.press("Control+A");
    await this.page.keyboard.press("Backspace");
  }

  /**
   * @param {string | RegExp} text
   * @returns {Locator} the last tile with it
   */
  tile(text) {
    const body = this.page.locator(".mx_EventTile_body", { hasText: text });
    return this.page.locator(".mx_EventTile", { has: body }).last();
  }

  /** @param {string | RegExp} text */
  async sees(text) {
    await expect(this.tile(text)).toBeVisible();
  }

  /** @param {string} text Waits until an own message is at the homeserver. */
  async sent(text) {
    await expect(this.tile(text)).toBeVisible();
    await expect(this.tile(text)).not.toHaveClass(/mx_EventTile_(sending|notSent)/);
  }

  /** @param {string} text */
  async body(text) {
    return this.tile(text).locator(".mx_EventTile_body").innerText();
  }

  /**
   * @param {string} text of an own message
   * @param {string} more is put at its end
   */
  async edit(text, more) {
    const tile = this.tile(text);
    await tile.hover();
    await tile.locator(".mx_MessageActionBar_editButton").click();
    await this.page.locator(EDITOR).click();
    await this.page.keyboard.press("Control+End");
    await this.page.keyboard.type(more);
    await this.page.keyboard.press("Enter");
    await this.page.locator(EDITOR).waitFor({ state: "detached" });
  }

  /**
   * @param {string} text
   * @param {string} emoji
   */
  async react(text, emoji) {
    const tile = this.tile(text);
    await tile.hover();
    await tile.locator(".mx_MessageActionBar_reactButton").click();
    const picker = this.page.locator(".mx_EmojiPicker");
    await picker.locator(".mx_EmojiPicker_item", { hasText: emoji }).first().click();
  }

  /** @param {string} text of an own message */
  async remove(text) {
    const tile = this.tile(text);
    await tile.hover();
    await tile.locator(".mx_MessageActionBar_optionsButton").click();
    await this.page.locator(".mx_MessageContextMenu_field", { hasText: "Remove" }).click();
    await this.page.locator(".mx_Dialog .mx_Dialog_primary").click();
  }

  /**
   * Messages of the timeline that a pattern fits, from the top, as often as they are there.
   *
   * @param {RegExp} pattern
   * @returns {Promise<string[]>}
   */
  async all(pattern) {
    const texts = await this.page
      .locator(".mx_RoomView_MessageList .mx_EventTile .mx_EventTile_body")
      .evaluateAll((bodies) => bodies.map((body) => body.textContent?.trim() ?? ""));
    return texts.filter((text) => pattern.test(text));
  }

  /** Turns the wheel over the timeline, so that the client asks for what is before. */
  async scrollUp() {
    await this.page.locator(".mx_RoomView_MessageList").hover();
    await this.page.mouse.wheel(0, -2000);
  }

  /**
   * Milliseconds from Enter until another's timeline shows the message, by the clocks in the two pages
   * (one machine).
   *
   * @param {Person} other
   * @param {string} text
   */
  async timed(other, text) {
    await this.write(text);
    await this.page.evaluate(() => {
      const note = () => {
        /** @type {any} */ (window).neuriteEntered = Date.now();
      };
      document.addEventListener("keydown", note, { once: true, capture: true });
    });
    const seen = other.page.evaluate(
      (wanted) =>
        new Promise((resolve) => {
          const look = () => {
            const bodies = document.querySelectorAll(".mx_EventTile_body");
            if ([...bodies].some((body) => body.textContent?.includes(wanted))) {
              resolve(Date.now());
              watcher.disconnect();
            }
          };
          const watcher = new MutationObserver(look);
          watcher.observe(document.body, { subtree: true, childList: true, characterData: true });
          look();
        }),
      text,
    );
    // Answers in turn: once this one is back, the other page watches.
    await other.page.evaluate(() => 0);
    await this.enter();
    const at = Number(await seen);
    const entered = () => /** @type {any} */ (window).neuriteEntered;
    return at - Number(await this.page.evaluate(entered));
  }
}
