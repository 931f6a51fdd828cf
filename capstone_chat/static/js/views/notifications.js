/** Desktop notifications of new messages while the window is hidden, if the reader has turned them on. */

import { nameOf } from "../accounts/user_directory.js";
import { href, navigate } from "../browser/router.js";
import { local } from "../browser/storage.js";
import { withoutMarks } from "../text/code.js";

const STORAGE_KEY = "notifications"; // in localStorage

/** True if the browser refuses to create a notification, as Chrome on Android does even with permission. */
let refused = false;

/** @typedef {"missing" | "denied" | "off" | "on"} State */

/** @returns {NotificationPermission | null} null where the browser has no notifications */
function permission() {
  try {
    return Notification.permission;
  } catch {
    return null;
  }
}

/** Return whether notifications are on, and if not, why. @returns {State} */
export function permissionState() {
  const allowed = permission();
  if (refused || allowed === null) return "missing";
  if (allowed === "denied") return "denied";
  return allowed === "granted" && local.getItem(STORAGE_KEY) === "on" ? "on" : "off";
}

/** Turn notifications on or off. The browser asks the reader for permission. @param {boolean} wanted */
export async function setEnabled(wanted) {
  if (wanted && permission() === "default") await askPermission();
  local.setItem(STORAGE_KEY, wanted && permission() === "granted" ? "on" : "off");
}

/** Ask for permission; resolve when the reader has answered, or the browser has refused to ask. */
function askPermission() {
  return new Promise((resolve) => {
    try {
      // Safari before version 15 returns no promise and calls back.
      Notification.requestPermission(resolve)?.then(resolve, resolve);
    } catch {
      resolve(undefined);
    }
  });
}

/**
 * Show a notification of a message, unless the page is visible or the reader wrote or read the message.
 * @param {import("../conversations/conversation.js").Conversation} conversation
 * @param {import("../conversations/timeline.js").ChatEvent} event
 * @param {number} me
 */
export function notifyMessage(conversation, { seq, from, text }, me) {
  const { id, title, isPrivate, timeline } = conversation;
  if (document.visibilityState === "visible" || from.id === me || !text || seq <= timeline.read) return;
  if (permissionState() !== "on") return;
  const line = withoutMarks(text);
  const options = {
    body: isPrivate ? line : `${nameOf(from)}: ${line}`,
    tag: `conversation-${id}`, // a newer notification replaces the older one, also of another tab
    icon: document.querySelector('link[rel="icon"]')?.getAttribute("href") ?? "",
  };
  try {
    const shown = new Notification(title, options);
    shown.addEventListener("click", () => {
      window.focus();
      navigate(href(id));
      shown.close();
    });
  } catch {
    refused = true;
  }
}
