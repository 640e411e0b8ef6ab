/**
 * config.json `p2p.auto_register`: nobody is asked for a name or a password. The first visit makes an
 * account with a random password, which this browser keeps; later visits without a session log in
 * with it. Off by default: whoever clears the site's data loses the account.
 */
import { newRequestId, REQUEST_ID_HEADER } from "./requests";

const KEPT_AS = "neurite_auto_account";
const CLIENT_API = "/_matrix/client/r0";

/**
 * @param {string} path
 * @param {object} body
 * @returns {Promise<{ status: number, body: any }>}
 */
async function post(path, body) {
  const response = await fetch(CLIENT_API + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", [REQUEST_ID_HEADER]: newRequestId() },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/**
 * @param {number} bytes
 * @returns {string} lower-case hexadecimal
 */
function randomHex(bytes) {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} deviceName
 * @returns {Promise<any>} the body of a successful registration
 */
async function register(deviceName) {
  const account = { username: `guest-${randomHex(4)}`, password: randomHex(24) };
  const wanted = { ...account, initial_device_display_name: deviceName };
  let answer = await post("/register", wanted);
  if (answer.status === 401 && answer.body.session) {
    const auth = { type: "m.login.dummy", session: answer.body.session };
    answer = await post("/register", { ...wanted, auth });
  }
  if (answer.status === 200) {
    localStorage.setItem(KEPT_AS, JSON.stringify(account));
  }
  return answer;
}

/**
 * @param {{ username: string, password: string }} account
 * @param {string} deviceName
 */
function logIn(account, deviceName) {
  return post("/login", {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: account.username },
    password: account.password,
    initial_device_display_name: deviceName,
  });
}

/**
 * Leaves a session where the client looks for one when it starts. A failure is only reported: the
 * ordinary log-in page follows.
 *
 * @param {{ p2p?: { auto_register?: boolean } }} config
 * @param {string} deviceName
 * @returns {Promise<void>}
 */
export async function autoRegister(config, deviceName) {
  if (!config.p2p || !config.p2p.auto_register || localStorage.getItem("mx_user_id")) {
    return;
  }
  const kept = localStorage.getItem(KEPT_AS);
  const answer = await (kept ? logIn(JSON.parse(kept), deviceName) : register(deviceName));
  if (answer.status !== 200) {
    console.warn("auto_register:", answer.status, answer.body.error);
    return;
  }
  localStorage.setItem("mx_hs_url", location.origin);
  localStorage.setItem("mx_user_id", answer.body.user_id);
  localStorage.setItem("mx_access_token", answer.body.access_token);
  localStorage.setItem("mx_device_id", answer.body.device_id);
  localStorage.setItem("mx_is_guest", "false");
}
