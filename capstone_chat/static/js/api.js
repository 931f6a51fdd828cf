/** The server's JSON API over fetch. */

import { strings } from "./i18n/strings.js";

/** A refusal, or the lack of an answer. */
export class ApiError extends Error {
  /**
   * @param {string} message for people
   * @param {{status?: number, code?: string, field?: string}} [details] status 0: no answer
   */
  constructor(message, { status = 0, code = "unreachable", field } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

/** The token that shows that a request comes from our own page. */
function xsrf() {
  return (
    document.querySelector('meta[name="xsrf"]')?.getAttribute("content") ??
    /** @type {HTMLInputElement | null} */ (document.querySelector('input[name="_xsrf"]'))?.value ??
    ""
  );
}

let changed = 0;

/** How many changes the server has answered. What was asked for before one may be older than it. */
export const changes = () => changed;

/**
 * @param {string} method
 * @param {string} path
 * @param {object | Blob} [body] a file as it is, all else as JSON
 * @returns {Promise<any>} the answer's JSON
 * @throws {ApiError}
 */
export async function call(method, path, body = {}) {
  let response;
  try {
    const file = body instanceof Blob;
    response = await fetch(path, {
      method,
      headers:
        method === "GET" ? { Accept: "application/json" }
        : { Accept: "application/json", "Content-Type": file ? body.type : "application/json", "X-XSRFToken": xsrf() },
      body: method === "GET" ? undefined : file ? body : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(strings.unreachable);
  }
  const answer = await response.json().catch(() => ({}));
  if (method !== "GET") changed += 1;
  if (response.ok) return answer;
  if (response.status === 401) leave();
  const { code, message, field } = answer.error ?? {};
  throw new ApiError(message ?? strings.tryAgain, { status: response.status, code, field });
}

/** @param {string} path @param {Record<string, string | number | undefined>} [query] */
export function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
  return call("GET", given.length ? `${path}?${search}` : path);
}

/** @param {string} path @param {object} [body] */
export const post = (path, body) => call("POST", path, body);

/** The session has ended: to the login page, and afterwards back to where we are. */
export function leave() {
  location.assign(`/login?next=${encodeURIComponent("/")}`);
}
