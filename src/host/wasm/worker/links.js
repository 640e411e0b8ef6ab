/**
 * The websockets of one instance. A socket tells nobody when its buffer drains, so while one holds
 * bytes it is looked at now and then, and the core hears how much it would take.
 */

const ROOM_MAX = 1024 * 1024;
const MESSAGE_MAX = 16 * 1024 * 1024;
const LOOK_MS = 20;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * @typedef {object} LinkEvents
 * @property {(link: bigint) => void} up
 * @property {(link: bigint, message: Uint8Array, isText: boolean) => void} message
 * @property {(link: bigint, room: number) => void} room
 * @property {(link: bigint, why: string) => void} down
 */

/** @typedef {{ socket: WebSocket, url: string, room: number, since: number }} Link */

export class Links {
  #events;
  /** @type {Map<bigint, Link>} */
  #links = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #look;
  /** False until some link first opened or failed. */
  #known = false;
  #onChange;

  /**
   * @param {LinkEvents} events
   * @param {() => void} onChange a link opened or went down
   */
  constructor(events, onChange) {
    this.#events = events;
    this.#onChange = onChange;
  }

  /** @returns {"up" | "down" | "unknown"} */
  state() {
    if (this.#list().some(({ socket }) => socket.readyState === WebSocket.OPEN)) {
      return "up";
    }
    return this.#known ? "down" : "unknown";
  }

  #list() {
    return [...this.#links.values()];
  }

  /** For the status page. */
  describe() {
    return this.#list().map(({ socket, url, since }) => ({
      url,
      state: ["connecting", "open", "closing", "closed"][socket.readyState],
      buffered: socket.bufferedAmount,
      seconds: Math.round((performance.now() - since) / 1000),
    }));
  }

  /**
   * @param {bigint} id
   * @param {string} url
   */
  dial(id, url) {
    let socket;
    try {
      socket = new WebSocket(url);
    } catch (error) {
      queueMicrotask(() => this.#ended(id, String(error)));
      return;
    }
    socket.binaryType = "arraybuffer";
    const link = { socket, url, room: ROOM_MAX, since: performance.now() };
    this.#links.set(id, link);
    const alive = () => this.#links.get(id) === link;
    socket.onopen = () => {
      if (alive()) {
        this.#changed();
        this.#events.up(id);
      }
    };
    socket.onmessage = ({ data }) => {
      if (!alive()) {
        return;
      }
      const isText = typeof data === "string";
      const message = isText ? encoder.encode(data) : new Uint8Array(data);
      if (message.length > MESSAGE_MAX) {
        socket.close();
        this.#ended(id, "message too large");
      } else {
        this.#events.message(id, message, isText);
      }
    };
    socket.onclose = ({ code }) => {
      if (alive()) {
        this.#ended(id, `closed with ${code}`);
      }
    };
  }

  #changed() {
    this.#known = true;
    this.#onChange();
  }

  /**
   * @param {bigint} id
   * @param {string} why
   */
  #ended(id, why) {
    this.#links.delete(id);
    this.#changed();
    this.#events.down(id, why);
  }

  /**
   * @param {bigint} id
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {boolean} isText
   */
  send(id, bytes, isText) {
    const link = this.#links.get(id);
    if (!link || link.socket.readyState !== WebSocket.OPEN) {
      return; // its end is on the way to the core
    }
    link.socket.send(isText ? decoder.decode(bytes) : bytes);
    link.room -= bytes.length;
    this.#look ??= setTimeout(() => this.#lookAtRoom(), LOOK_MS);
  }

  /** Tells the core of buffers that drained: at the latest when half of what it may send is used up. */
  #lookAtRoom() {
    this.#look = undefined;
    for (const [id, link] of this.#links) {
      const room = Math.max(0, ROOM_MAX - link.socket.bufferedAmount);
      if (room > link.room && (room === ROOM_MAX || link.room < ROOM_MAX / 2)) {
        link.room = room;
        this.#events.room(id, room);
      }
    }
    if (this.#list().some(({ room }) => room < ROOM_MAX)) {
      this.#look ??= setTimeout(() => this.#lookAtRoom(), LOOK_MS);
    }
  }

  /** @param {bigint} id */
  close(id) {
    const link = this.#links.get(id);
    this.#links.delete(id);
    link?.socket.close();
    this.#changed();
  }

  closeAll() {
    clearTimeout(this.#look);
    for (const { socket } of this.#list()) {
      socket.close();
    }
    this.#links.clear();
  }
}
