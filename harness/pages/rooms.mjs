/** Making rooms, finding them, joining them, and going from one to another. */

/** @typedef {import("./person.mjs").Person} Person */

const COMPOSER = ".mx_SendMessageComposer .mx_BasicMessageComposer_input";

export class Rooms {
  /** @param {Person} person */
  constructor(person) {
    this.person = person;
  }

  get page() {
    return this.person.page;
  }

  /**
   * A public room with an alias.
   *
   * @param {{ name: string, topic: string, alias: string }} room
   */
  async create({ name, topic, alias }) {
    const { page, person } = this;
    const home = page.locator(".mx_HomePage_button_createGroup");
    if (await home.isVisible()) {
      await home.click();
    } else {
      await page.locator(".mx_RoomSublist[aria-label='Rooms'] .mx_RoomSublist_auxButton").click();
      await page.getByRole("menuitem", { name: "Create new room" }).click();
    }
    await person.typeInto(".mx_CreateRoomDialog_name input", name);
    await person.typeInto(".mx_CreateRoomDialog_topic input", topic);
    await page.locator(".mx_CreateRoomDialog .mx_ToggleSwitch").first().click();
    await person.typeInto(".mx_RoomAliasField input", alias);
    await page.locator(".mx_CreateRoomDialog .mx_Dialog_primary").click();
    await this.isIn(name);
  }

  /** @param {string} name Waits until the room of this name is open and can be talked in. */
  async isIn(name) {
    await this.page.locator(".mx_RoomHeader_nametext", { hasText: name }).waitFor();
    await this.page.locator(COMPOSER).waitFor();
  }

  topic() {
    return this.page.locator(".mx_RoomHeader_topic").innerText();
  }

  /**
   * Types /join into the composer of the room that is open.
   *
   * @param {string} alias
   * @param {string} name
   */
  async joinByCommand(alias, name) {
    await this.person.typeInto(COMPOSER, `/join ${alias}`);
    await this.page.keyboard.press("Enter");
    await this.isIn(name);
  }

  /**
   * Finds a room in the directory by its name and joins it there.
   *
   * @param {string} name
   * @param {string} alias
   */
  async joinByDirectory(name, alias) {
    const { page, person } = this;
    await page.locator(".mx_LeftPanel_exploreButton").click();
    await page.locator(".mx_RoomDirectory_dialog").waitFor();
    await person.typeInto(".mx_RoomDirectory_searchbox input", name);
    const row = page.locator(".mx_RoomDirectory_table tr", { hasText: alias });
    await row.locator(".mx_RoomDirectory_join").getByText("Join", { exact: true }).click();
    await this.isIn(name);
  }

  /** The directory that opens by itself after registration. */
  async closeDirectory() {
    const dialog = this.page.locator(".mx_RoomDirectory_dialog");
    await dialog.waitFor();
    await dialog.locator(".mx_Dialog_cancelButton").click();
    await dialog.waitFor({ state: "detached" });
  }

  /** @param {string} name Opens a room from the list on the left. */
  async open(name) {
    await this.page.locator(`.mx_RoomTile[aria-label^="${name}"]`).first().click();
    await this.isIn(name);
  }

  /** @returns {Promise<string[]>} names in the list on the left */
  list() {
    return this.page
      .locator(".mx_RoomTile .mx_RoomTile_name")
      .evaluateAll((tiles) => tiles.map((tile) => tile.textContent?.trim() ?? ""));
  }
}
