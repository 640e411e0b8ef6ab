/**
 * The quiet lines at the top of the page: that the relay is out of reach, and what else the worker wants
 * people to know (a new dendrite.wasm that it refused, say). The page shrinks below them, so that they
 * never cover anything.
 */

const OFFLINE = "offline - messages will be sent when the relay is back";
const LINE_PX = 24;

/**
 * @param {string} id
 * @param {string} text "" takes the line away
 * @param {HTMLElement} client the element that has the client in it
 */
function setLine(id, text, client) {
  const shown = document.getElementById(id);
  if (!text) {
    if (shown) {
      shown.remove();
    }
    return;
  }
  const line = shown || document.createElement("div");
  line.textContent = text;
  line.title = text; // all of it, where the window is too narrow
  if (!shown) {
    line.id = id;
    line.className = "neurite_line";
    line.setAttribute("role", "status");
    line.style.cssText =
      `height:${LINE_PX}px;font:13px/${LINE_PX}px sans-serif;text-align:center;` +
      "background:#f3f0e0;color:#5c4a10;overflow:hidden;white-space:nowrap;text-overflow:ellipsis";
    document.body.insertBefore(line, client);
  }
}

/**
 * @param {import("./homeserver").Alive} alive what the worker said last
 */
export function showState(alive) {
  const client = document.getElementById("matrixchat");
  if (!client) {
    return;
  }
  setLine("neurite_banner", alive.relay === "down" ? OFFLINE : "", client);
  setLine("neurite_notice", alive.notice || "", client);
  const lines = document.getElementsByClassName("neurite_line").length;
  const height = lines ? `calc(100% - ${lines * LINE_PX}px)` : "100%";
  if (client.style.height !== height) {
    client.style.height = height;
    window.dispatchEvent(new Event("resize")); // the client keeps its timeline at the bottom
  }
}
