/**
 * What the page shows before the client does: what is waited for, or why it cannot start.
 * Plain DOM: neither the client's code nor its styles can be counted on here.
 */

const COVER =
  "position:fixed;top:0;left:0;right:0;bottom:0;z-index:10000;overflow:auto;background:#fff;" +
  "color:#2e2f32;font:16px/1.5 sans-serif;display:flex;align-items:center;justify-content:center";
const CARD = "max-width:36em;padding:2em";
const QUIET = "color:#61708b;margin:0.5em 0";
const UNBROKEN = "display:inline-block"; // an address or a command stays on one line

/**
 * @param {string} tag
 * @param {string} text
 * @param {string} style
 * @returns {HTMLElement}
 */
function element(tag, text, style) {
  const made = document.createElement(tag);
  made.textContent = text;
  made.style.cssText = style;
  return made;
}

export class Splash {
  constructor() {
    this.cover = element("div", "", COVER);
    this.cover.id = "neurite_splash";
    this.card = element("div", "", CARD);
    this.card.setAttribute("role", "status");
    this.title = element("h1", "Neurite", "font-size:1.5em;margin:0");
    this.title.id = "neurite_splash_title";
    this.line = element("p", "", QUIET);
    this.line.id = "neurite_splash_line";
    this.card.append(this.title, this.line);
    this.cover.append(this.card);
    document.body.append(this.cover);
  }

  /**
   * @param {string} line what is waited for
   */
  say(line) {
    this.line.textContent = line;
  }

  /**
   * Shows an error in the words of whoever reported it. Waiting goes on: a later say() or remove()
   * follows when the cause is gone.
   *
   * @param {string} title
   * @param {string} text
   */
  fail(title, text) {
    this.title.textContent = title;
    this.line.textContent = text;
    this.line.style.color = "#a3202c";
    if (!this.again) {
      this.again = element("p", "This page tries again by itself. ", QUIET);
      const link = document.createElement("a");
      link.href = "/_neurite/";
      link.textContent = "Status of this homeserver";
      this.again.append(link);
      this.card.append(this.again);
    }
  }

  remove() {
    this.cover.remove();
  }
}

/** The page at an address where browsers offer no service workers: says why, and the way out. */
export function showInsecureContext() {
  const splash = new Splash();
  const port = location.port ? `:${location.port}` : "";
  const local = `http://localhost${port}/`;
  splash.title.textContent = "This page needs a secure connection";
  splash.line.textContent =
    "Neurite keeps a whole homeserver in your browser, in a service worker. Browsers allow service " +
    "workers only on https:// pages and on localhost, and this page is ";
  splash.line.append(element("span", location.origin, UNBROKEN), ".");
  const ways = document.createElement("ul");
  const listen = location.port || "80";
  for (const way of [
    ["On the machine that serves this page, open ", localLink(local)],
    [
      "From another machine, forward the port and open ",
      localLink(local),
      " there: ",
      element("code", `ssh -N -L ${listen}:localhost:${listen} ${location.hostname}`, UNBROKEN),
    ],
    ["Or put a web server with a certificate in front of it and open it by https://"],
  ]) {
    const item = element("li", "", "margin:0.5em 0");
    item.append(...way);
    ways.append(item);
  }
  splash.card.append(ways);
}

/**
 * @param {string} address
 * @returns {HTMLElement}
 */
function localLink(address) {
  const link = document.createElement("a");
  link.href = address;
  link.textContent = address;
  return link;
}

/** The page in a browser that has service workers switched off. */
export function showNoServiceWorkers() {
  const splash = new Splash();
  splash.title.textContent = "This browser has no service workers";
  splash.line.textContent =
    "Neurite keeps a whole homeserver in your browser, in a service worker, and this browser offers " +
    "none. Some browsers switch them off in private windows: try an ordinary window, or look at the " +
    "browser's settings for site data.";
}
