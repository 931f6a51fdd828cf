// @ts-check
/** The connection with the tour's server: token, HTTP API and WebSocket. */

const TOKEN = "tour.token";
/** Milliseconds before the first attempt to connect again; each further one waits twice as long. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 5000;

/** An answer of the server that is no success, or no answer (status 0). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {any} answer the JSON of the answer
   */
  constructor(status, answer) {
    super(answer.error ?? `The tour answers with the status ${status}.`);
    this.status = status;
    this.answer = answer;
  }
}

/** Exchange the one-time code in the page's address, if there is one, for a token. */
export async function redeemCode() {
  const code = /^#code=(.+)$/.exec(location.hash)?.[1];
  if (!code) return;
  history.replaceState(null, "", location.pathname + location.search);
  const { token } = await api("POST", "/api/token", { body: { code } });
  localStorage.setItem(TOKEN, token);
}

/**
 * Call the API.
 * @param {string} method
 * @param {string} path
 * @param {{body?: object, etag?: string}} [options] etag: the version that the request changes
 * @returns {Promise<any>} the JSON of the answer
 * @throws {ApiError}
 */
export async function api(method, path, { body, etag } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Authorization: `Bearer ${localStorage.getItem(TOKEN) ?? ""}` };
  if (body) headers["Content-Type"] = "application/json";
  if (etag) headers["If-Match"] = etag;
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new ApiError(0, { error: "The tour does not answer. Start it again in its terminal: python3 learn.py" });
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer);
  return answer;
}

/**
 * The WebSocket of the tour, which connects again when it is lost.
 *
 * Listeners get the messages of a type. The types "open" and "lost" are those of the connection itself.
 */
export class Channel {
  constructor() {
    /** @type {Map<string, ((message: any) => void)[]>} */
    this.listeners = new Map();
    /** @type {WebSocket | null} */
    this.socket = null;
    this.delay = FIRST_DELAY;
    /** @type {string[]} messages that wait for the connection */
    this.waiting = [];
  }

  /** @param {string} type @param {(message: any) => void} listener */
  on(type, listener) {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }

  connect() {
    const address = new URL("/ws", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address, ["tour.1", `token.${localStorage.getItem(TOKEN) ?? ""}`]);
    socket.onopen = () => {
      this.socket = socket;
      this.delay = FIRST_DELAY;
      this.#emit({ type: "open" });
      for (const text of this.waiting.splice(0)) socket.send(text);
    };
    socket.onmessage = ({ data }) => this.#emit(JSON.parse(data));
    socket.onclose = () => {
      this.socket = null;
      this.#emit({ type: "lost" });
      setTimeout(() => this.connect(), this.delay);
      this.delay = Math.min(2 * this.delay, LONGEST_DELAY);
    };
  }

  /** Send a message, now or as soon as the connection is open. @param {{type: string, [field: string]: any}} message */
  send(message) {
    const text = JSON.stringify(message);
    if (this.socket) this.socket.send(text);
    else this.waiting.push(text);
  }

  /** @param {{type: string}} message */
  #emit(message) {
    for (const listener of this.listeners.get(message.type) ?? []) listener(message);
  }
}
