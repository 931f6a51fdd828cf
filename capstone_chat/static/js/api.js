/** The server's JSON API over fetch. */

import { strings } from "./i18n/strings.js";

/** The server refused a request, or could not be reached. */
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

/** Return the XSRF token of this page. */
function xsrfToken() {
  return (
    document.querySelector('meta[name="xsrf"]')?.getAttribute("content") ??
    /** @type {HTMLInputElement | null} */ (document.querySelector('input[name="_xsrf"]'))?.value ??
    ""
  );
}

let mutations = 0;

/** Return how many changes the server has answered. The answer to an earlier request may not contain them. */
export const mutationCount = () => mutations;

/**
 * Send a request and return the answer.
 * @param {string} method
 * @param {string} path
 * @param {object | Blob} [body] a file is sent as it is, an object as JSON
 * @returns {Promise<any>} the answer's JSON
 * @throws {ApiError}
 */
export async function request(method, path, body = {}) {
  let response;
  try {
    const file = body instanceof Blob;
    response = await fetch(path, {
      method,
      headers:
        method === "GET" ? { Accept: "application/json" }
        : { Accept: "application/json", "Content-Type": file ? body.type : "application/json", "X-XSRFToken": xsrfToken() },
      body: method === "GET" ? undefined : file ? body : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(strings.unreachable);
  }
  const answer = await response.json().catch(() => ({}));
  if (method !== "GET") mutations += 1;
  if (response.ok) return answer;
  if (response.status === 401) redirectToLogin();
  const { code, message, field } = answer.error ?? {};
  throw new ApiError(message ?? strings.tryAgain, { status: response.status, code, field });
}

/** Send a GET request; undefined values are left out of the query. @param {string} path @param {Record<string, string | number | undefined>} [query] */
export function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
  return request("GET", given.length ? `${path}?${search}` : path);
}

/** Send a POST request with a JSON body. @param {string} path @param {object} [body] */
export const post = (path, body) => request("POST", path, body);

let leaving = false;

/** Ignore the end of the session, which the reader has asked for: another page is being loaded. @param {boolean} [expected] */
export function expectLogout(expected = true) {
  leaving = expected;
}

/**
 * Go to the login page, and from there back to the chat.
 * @param {"ended" | "deleted"} [reason] what the login page says: the session has ended, or the account is deleted
 */
export function redirectToLogin(reason = "ended") {
  if (leaving && reason === "ended") return;
  location.assign(`/login?reason=${reason}&next=%2F${location.hash}`); // the form returns to the fragment, the route
}
