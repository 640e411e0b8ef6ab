/**
 * The quiet line at the top of the page while the relay is out of reach. The page shrinks below it,
 * so that it never covers anything.
 */

const TEXT = "offline - messages will be sent when the relay is back";
const HEIGHT = "24px";

/**
 * @param {boolean} offline
 */
export function showOffline(offline) {
  const client = document.getElementById("matrixchat");
  const shown = document.getElementById("neurite_banner");
  if (!client || offline === Boolean(shown)) {
    return;
  }
  if (shown) {
    shown.remove();
    client.style.height = "100%";
    return;
  }
  const banner = document.createElement("div");
  banner.id = "neurite_banner";
  banner.setAttribute("role", "status");
  banner.textContent = TEXT;
  banner.style.cssText =
    `height:${HEIGHT};font:13px/${HEIGHT} sans-serif;text-align:center;` +
    "background:#f3f0e0;color:#5c4a10;overflow:hidden";
  document.body.insertBefore(banner, client);
  client.style.height = `calc(100% - ${HEIGHT})`;
}
