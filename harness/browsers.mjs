/** The two browsers, as the distribution has them, and what Playwright needs to drive them. */
import { execFileSync } from "node:child_process";

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

/** @type {Record<"chromium" | "firefox", import("@playwright/test").LaunchOptions>} */
export const launchOptions = {
  chromium: {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: sandboxArgs(),
  },
  firefox: {
    channel: "moz-firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    // Lets a test end a worker from the browser's own scope.
    args: ["--remote-allow-system-access"],
    firefoxUserPrefs: { "devtools.console.stdout.content": true },
  },
};
