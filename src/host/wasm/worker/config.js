/** What the homeserver is told when it opens: the build, and the relays it shall join. */

const CONFIG_URL = "/config.json";
const CACHE = "neurite-config";
const RELAYS_MAX = 15;

/** @returns {string} the relay behind this page's own origin */
function ownRelay() {
  const { protocol, hostname, port } = self.location;
  const secure = protocol === "https:";
  return `${secure ? "wss" : "ws"}://${hostname}:${port || (secure ? 443 : 80)}`;
}

/** @returns {Promise<any>} config.json as it was at the last start; new ones count at the next */
async function readConfig() {
  const cache = await caches.open(CACHE);
  const refresh = fetch(CONFIG_URL, { cache: "no-cache" }).then(async (response) => {
    if (response.ok) {
      await cache.put(CONFIG_URL, response.clone());
    }
    return response;
  });
  refresh.catch(() => {});
  const kept = await cache.match(CONFIG_URL);
  const response = kept ?? (await refresh);
  return response.ok ? response.json() : {};
}

/**
 * @param {string} build
 * @param {boolean} readOnly
 * @returns {Promise<string[]>} lines "name value", as hs_open takes them
 */
export async function configLines(build, readOnly) {
  /** @type {unknown[]} */
  let listed = [];
  try {
    listed = (await readConfig())?.p2p?.relays ?? [];
  } catch {
    // No file, or not JSON: the page's own relay is enough.
  }
  const relays = new Set([ownRelay()]);
  for (const relay of Array.isArray(listed) ? listed : []) {
    if (typeof relay === "string" && /^wss?:\/\/[^\s]+$/.test(relay) && relays.size <= RELAYS_MAX) {
      relays.add(relay);
    }
  }
  return [
    `build_id ${build}`,
    ...[...relays].map((relay) => `relay ${relay}`),
    ...(readOnly ? ["read_only 1"] : []),
  ];
}
