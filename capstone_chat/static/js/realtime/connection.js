/**
 * A WebSocket that reconnects by itself.
 *
 * After a lost connection, the next attempt follows a random part of a delay that doubles up to 30 s ("full
 * jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), so that a
 * thousand pages do not reconnect at the same moment. A ping every 25 s detects a dead connection.
 */

const INITIAL_DELAY = 500; // milliseconds, as all times below
const MAX_DELAY = 30_000;
const PING_INTERVAL = 25_000;
const PONG_TIMEOUT = 10_000;

/** Return whether a close code (3500-3999) forbids a reconnect. */
const isFinal = (/** @type {number} */ code) => code >= 3500 && code <= 3999;

/** A WebSocket to the server that is opened again when it breaks. */
export class Connection {
  #url;
  #onFrame;
  #onState;
  #onRefused;
  #onEnd;
  /** @type {WebSocket | null} */
  #socket = null;
  #attempt = 0;
  #helloReceived = false;
  #ended = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pongTimer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #heartbeat;

  /**
   * @param {string} url
   * @param {{onFrame: (frame: any) => void, onState: (state: "open"|"lost") => void,
   *          onRefused: () => void, onEnd: (code: number) => void}} listeners
   *   `onRefused`: closed before the hello; a browser does not report the reason;
   *   `onEnd`: closed with a final code
   */
  constructor(url, { onFrame, onState, onRefused, onEnd }) {
    this.#url = url;
    this.#onFrame = onFrame;
    this.#onState = onState;
    this.#onRefused = onRefused;
    this.#onEnd = onEnd;
    addEventListener("online", () => this.probe());
    addEventListener("offline", () => this.#ping(2_000));
    addEventListener("pageshow", () => this.probe());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.probe();
    });
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    clearTimeout(this.#retryTimer);
    if (this.#socket || this.#ended) return;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#helloReceived = false;
    socket.onmessage = ({ data }) => {
      clearTimeout(this.#pongTimer);
      this.#pongTimer = undefined;
      const frame = JSON.parse(data);
      if (frame.type === "hello") {
        this.#attempt = 0;
        this.#helloReceived = true;
        this.#onState("open");
      }
      this.#onFrame(frame);
    };
    socket.onclose = ({ code }) => this.#onClosed(socket, code);
    this.#heartbeat = setInterval(() => this.#ping(PONG_TIMEOUT), PING_INTERVAL);
    this.#expectFrame(PONG_TIMEOUT); // the hello
  }

  /** Send a frame. @param {object} frame @returns {boolean} false if there is no open connection */
  send(frame) {
    if (!this.isOpen) return false;
    this.#socket?.send(JSON.stringify(frame));
    return true;
  }

  /** Ping an open connection, or reconnect at once, because the network or the reader is back. */
  probe() {
    if (this.#socket) this.#ping(5_000);
    else {
      this.#attempt = 0;
      this.connect();
    }
  }

  /** @param {number} timeout milliseconds */
  #ping(timeout) {
    if (this.send({ type: "ping" })) this.#expectFrame(timeout);
  }

  /** @param {number} timeout milliseconds */
  #expectFrame(timeout) {
    if (this.#pongTimer !== undefined) return;
    const socket = this.#socket;
    this.#pongTimer = setTimeout(() => {
      // close() waits for the close frame of the peer, which may not come either.
      socket?.close();
      if (socket) this.#onClosed(socket, 1006);
    }, timeout);
  }

  /** @param {WebSocket} socket @param {number} code */
  #onClosed(socket, code) {
    if (this.#socket !== socket) return;
    socket.onmessage = socket.onclose = null;
    this.#socket = null;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#pongTimer);
    this.#pongTimer = undefined;
    this.#onState("lost");
    if (isFinal(code)) {
      this.#ended = true;
      this.#onEnd(code);
      return;
    }
    if (!this.#helloReceived) this.#onRefused();
    const longestDelay = Math.min(MAX_DELAY, INITIAL_DELAY * 2 ** this.#attempt++);
    this.#retryTimer = setTimeout(() => this.connect(), Math.random() * longestDelay);
  }
}
