/**
 * The interface between the worker and `dendrite.wasm`, as data: its number and the two lists that
 * a module must have. docs/host-interface.md explains each; a test holds the three together.
 */

/** Raised whenever a list, a type or a meaning changes. */
export const INTERFACE = 1;

/** Name of the custom section: JSON {@link Section}. */
export const SECTION = "neurite";

/** @typedef {{ interface: number, build: string, revision: string }} Section */

/** Functions that the module imports, all from module `host`. */
export const IMPORTS = ["random", "log"];

/** What the module exports, in the order of docs/host-interface.md. */
export const EXPORTS = [
  "memory",
  "_initialize",
  "hs_alloc",
  "hs_free",
  "hs_new",
  "hs_image_extent",
  "hs_image_loaded",
  "hs_image_size",
  "hs_open",
  "hs_why",
  "hs_why_n",
  "hs_server_name",
  "hs_server_name_n",
  "hs_request",
  "hs_request_gone",
  "hs_link_up",
  "hs_link_message",
  "hs_link_room",
  "hs_link_down",
  "hs_flushed",
  "hs_turn",
  "hs_next",
  "hs_is_dirty",
  "hs_flush_begin",
  "hs_flush_pages",
  "hs_page",
];

/** enum err of src/base/base.h, by number. */
export const ERRORS = ["none", "syntax", "limit", "absent", "refused", "store", "full", "corrupt"];

/** enum effect_kind of src/hs/hs.h. */
export const EFFECT = {
  RESPOND: 0,
  SEND: 1,
  DIAL: 2,
  CLOSE: 3,
  FLUSH: 4,
  WAKE: 5,
  RESTART: 6,
};

export const PAGE = 4096;
export const EXTENT = 256 * 1024;
export const IMAGE_MAX = 256 * 1024 * 1024;
