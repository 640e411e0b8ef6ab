/**
 * The lock that keeps instances in order. It is not the fence: a holder that hangs loses it after a
 * while, and what such a one still writes is stopped by the generation (image.js).
 */

const NAME = "neurite-image";
const WAIT_MS = 3000;

/**
 * @param {() => void} onLost another instance took it
 * @returns {Promise<() => void>} releases it
 */
export async function takeLock(onLost) {
  try {
    return await request({ signal: AbortSignal.timeout(WAIT_MS) }, onLost);
  } catch {
    return request({ steal: true }, onLost);
  }
}

/**
 * @param {LockOptions} options
 * @param {() => void} onLost
 * @returns {Promise<() => void>}
 */
function request(options, onLost) {
  return new Promise((resolve, reject) => {
    let held = false;
    navigator.locks
      .request(NAME, options, () => {
        held = true;
        return new Promise((/** @type {(value: void) => void} */ release) => resolve(release));
      })
      .catch((error) => (held ? onLost() : reject(error)));
  });
}
