/** The two browsers, as the distribution has them, and what Playwright needs to drive them. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";

/** Chromium's sandbox needs user namespaces, and refuses to run as root. */
function sandboxArgs() {
  if (process.getuid?.() !== 0) {
    try {
      execFileSync("unshare", ["-U", "true"], { stdio: "ignore" });
      return [];
    } catch {
      // fall through
    }
  }
  return ["--no-sandbox"];
}

const FIREFOX_LEAST = 143; // Playwright speaks no older one's protocol
const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

/** @param {string} file @returns {string} the same, when Playwright can drive it */
function recentFirefox(file) {
  const said = execFileSync(file, ["--version"], { encoding: "utf8", stdio: "pipe" });
  const major = Number(/ (\d+)\./.exec(said)?.[1]);
  if (major < FIREFOX_LEAST) {
    throw new Error(
      `${said.trim()} is too old to be driven, ${FIREFOX_LEAST} or newer is needed: Debian's security ` +
        "suite has it, add that to the sources of apt and install firefox-esr again",
    );
  }
  return file;
}

/** @type {Record<"chromium" | "firefox", import("@playwright/test").LaunchOptions>} */
export const launchOptions = {
  chromium: {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: sandboxArgs(),
  },
  firefox: {
    channel: "moz-firefox",
    executablePath: recentFirefox(FIREFOX),
    // Lets a test end a worker from the browser's own scope.
    args: ["--remote-allow-system-access"],
    firefoxUserPrefs: { "devtools.console.stdout.content": true },
  },
};

/**
 * Launches a browser on a profile folder, as a person's own is.
 *
 * @param {import("@playwright/test").BrowserType} type
 * @param {string} profile
 * @param {Record<string, number | boolean | string>} [firefoxUserPrefs]
 * @param {string[]} [chromiumArgs]
 */
export function launchOn(type, profile, firefoxUserPrefs = {}, chromiumArgs = []) {
  const isFirefox = type.name() === "firefox";
  const options = launchOptions[isFirefox ? "firefox" : "chromium"];
  return type.launchPersistentContext(profile, {
    ...options,
    args: [...(options.args ?? []), ...(isFirefox ? [] : chromiumArgs)],
    firefoxUserPrefs: { ...options.firefoxUserPrefs, ...firefoxUserPrefs },
    viewport: { width: 1280, height: 720 },
  });
}

/**
 * Ends a browser as a power cut would: its main process, which is the one of ours that names the
 * profile and whose parent does not.
 *
 * @param {string} profile
 */
export async function killBrowser(profile) {
  const processes = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      const parent = readFileSync(`/proc/${pid}/status`, "utf8").match(/^PPid:\s*(\d+)/m)?.[1];
      if (words.includes(profile)) {
        processes.set(pid, parent);
      }
    } catch {
      // It ended meanwhile.
    }
  }
  const mains = [...processes].filter(([, parent]) => !processes.has(parent)).map(([pid]) => pid);
  if (mains.length === 0) {
    throw new Error(`no browser runs on ${profile}`);
  }
  mains.forEach((pid) => process.kill(Number(pid), "SIGKILL"));
  while (mains.some((pid) => existsSync(`/proc/${pid}`) && !isZombie(pid))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** @param {string} pid */
function isZombie(pid) {
  try {
    return /^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}
