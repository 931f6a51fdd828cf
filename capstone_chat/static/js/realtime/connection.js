/**
 * One WebSocket that comes back by itself.
 *
 * A lost connection is tried again after a random part of a delay that doubles up to 30 s ("full
 * jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), so that a
 * thousand pages do not come back in the same instant. A ping every 25 s finds dead connections.
 */

const FIRST_DELAY = 500; // milliseconds, all of these
const LONGEST_DELAY = 30_000;
const PING_EVERY = 25_000;
const ANSWER_WITHIN = 10_000;

/** Close codes 3500-3999 mean: do not come back. */
const isFinal = (/** @type {number} */ code) => code >= 3500 && code <= 3999;

export class Connection {
  #url;
  #onFrame;
  #onState;
  #onRefused;
  #onEnd;
  /** @type {WebSocket | null} */
  #socket = null;
  #attempt = 0;
  #greeted = false;
  #ended = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #beat;

  /**
   * @param {string} url
   * @param {{onFrame: (frame: any) => void, onState: (state: "open"|"lost") => void,
   *          onRefused: () => void, onEnd: (code: number) => void}} listeners
   *   `onRefused`: closed before the greeting; a browser does not tell why
   */
  constructor(url, { onFrame, onState, onRefused, onEnd }) {
    this.#url = url;
    this.#onFrame = onFrame;
    this.#onState = onState;
    this.#onRefused = onRefused;
    this.#onEnd = onEnd;
    addEventListener("online", () => this.#wake());
    addEventListener("offline", () => this.#ping(2_000));
    addEventListener("pageshow", () => this.#wake());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#wake();
    });
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    clearTimeout(this.#retry);
    if (this.#socket || this.#ended) return;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#greeted = false;
    socket.onmessage = ({ data }) => {
      clearTimeout(this.#silence);
      this.#silence = undefined;
      const frame = JSON.parse(data);
      if (frame.type === "hello") {
        this.#attempt = 0;
        this.#greeted = true;
        this.#onState("open");
      }
      this.#onFrame(frame);
    };
    socket.onclose = ({ code }) => this.#lost(socket, code);
    this.#beat = setInterval(() => this.#ping(ANSWER_WITHIN), PING_EVERY);
    this.#expectFrame(ANSWER_WITHIN); // the greeting
  }

  /** @param {object} frame @returns {boolean} whether it could be handed to the network */
  send(frame) {
    if (!this.isOpen) return false;
    this.#socket?.send(JSON.stringify(frame));
    return true;
  }

  /** The network or the reader is back: try now, or see whether an open socket is still alive. */
  #wake() {
    if (this.#socket) this.#ping(5_000);
    else {
      this.#attempt = 0;
      this.connect();
    }
  }

  /** @param {number} within milliseconds */
  #ping(within) {
    if (this.send({ type: "ping" })) this.#expectFrame(within);
  }

  /** @param {number} within milliseconds */
  #expectFrame(within) {
    if (this.#silence !== undefined) return;
    const socket = this.#socket;
    this.#silence = setTimeout(() => {
      // close() waits for the other side's answer, which is just what does not come.
      socket?.close();
      if (socket) this.#lost(socket, 1006);
    }, within);
  }

  /** @param {WebSocket} socket @param {number} code */
  #lost(socket, code) {
    if (this.#socket !== socket) return;
    socket.onmessage = socket.onclose = null;
    this.#socket = null;
    clearInterval(this.#beat);
    clearTimeout(this.#silence);
    this.#silence = undefined;
    this.#onState("lost");
    if (isFinal(code)) {
      this.#ended = true;
      this.#onEnd(code);
      return;
    }
    if (!this.#greeted) this.#onRefused();
    const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempt++);
    this.#retry = setTimeout(() => this.connect(), Math.random() * longest);
  }
}
