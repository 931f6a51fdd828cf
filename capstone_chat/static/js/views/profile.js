/** The dialog "Your profile": nickname and picture, appearance, notifications, sessions, the account. */

import { avatar } from "../accounts/avatar.js";
import { ApiError, expectLogout, get, redirectToLogin, request } from "../api.js";
import { byId, el, icon, updateChildren } from "../browser/dom.js";
import { session } from "../browser/storage.js";
import { strings } from "../i18n/strings.js";
import { openDialog, openFormDialog } from "./dialog.js";
import * as notifications from "./notifications.js";
import { showToast } from "./toast.js";
import { when } from "./when.js";

const LANGUAGES = { "": strings.asBrowser, en: "English", zh_CN: "简体中文", ru: "Русский" };

const REOPEN_KEY = "reopen-profile"; // in sessionStorage: the page was loaded again from the dialog

/** Open the profile again after a change of the language. @param {Parameters<typeof openProfile>} given */
export function reopenProfile(...given) {
  if (session.getItem(REOPEN_KEY) !== "language") return;
  session.removeItem(REOPEN_KEY);
  openProfile(...given);
  byId("my-language").focus();
}

/**
 * Open the reader's own profile.
 * @param {import("../conversations/store.js").Store} store @param {() => void} deleted called after the account was deleted
 */
export function openProfile(store, deleted) {
  const dialog = openDialog(strings.profile,
    el("div", { class: "profile" },
      ...pictureAndName(store),
      appearance(store),
      notificationSettings(),
      security(),
      sessions(),
      el("section", {},
        el("button", {
          class: "button danger-quiet", type: "button", text: strings.deleteAccount, onclick: () => deleteAccount(deleted),
        }))));
  dialog.classList.add("tall");
}

/** Create a section with a heading. @param {string} title @param {...any} content */
const section = (title, ...content) => el("section", {}, el("h3", { text: title }), ...content);

/** Call `act`, and show the message in `element` if its request fails. @param {HTMLElement} element @param {() => Promise<void>} act */
async function withErrorAt(element, act) {
  element.hidden = true;
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    element.textContent = error.message;
    element.hidden = false;
  }
}

const MAX_UPLOAD = 5 << 20; // bytes, the limit of picture_files.py

/**
 * Upload a picture. If a picture is too large, the server closes the connection during the upload, and the
 * browser may then report no answer. So the size is checked here first.
 * @param {File} file
 * @returns {Promise<{picture: string | null}>}
 */
async function upload(file) {
  if (file.size > MAX_UPLOAD) throw new ApiError(strings.pictureTooLarge, { code: "too_large", field: "picture" });
  return request("PUT", "/api/me/picture", file);
}

/** @param {import("../conversations/store.js").Store} store */
function pictureAndName(store) {
  const picture = el("span", {}, avatar(store.user, "large"));
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const file = /** @type {HTMLInputElement} */ (
    el("input", { type: "file", accept: "image/png,image/jpeg,image/webp,image/gif", hidden: true, "aria-label": strings.choosePicture }));
  const remove = el("button", { class: "button", type: "button", text: strings.removePicture });
  remove.hidden = !store.user.picture;
  /** @param {() => Promise<{picture: string | null}>} change */
  const set = (change) => withErrorAt(error, async () => {
    store.setUser(await change());
    remove.hidden = !store.user.picture;
    showToast(strings.saved);
  });
  file.addEventListener("change", () => {
    const [chosen] = file.files ?? [];
    if (chosen) set(() => upload(chosen));
    file.value = "";
  });
  remove.addEventListener("click", () => set(() => request("DELETE", "/api/me/picture")));

  const name = /** @type {HTMLInputElement} */ (el("input", {
    class: "input", id: "my-name", autocomplete: "nickname", maxlength: store.limits.nickname,
    "aria-describedby": "my-name-hint my-name-error",
  }));
  name.value = store.user.nickname;
  const nameError = el("p", { class: "error", id: "my-name-error", role: "alert", hidden: true });
  const form = el("form", { class: "field", novalidate: true },
    el("label", { for: "my-name", text: strings.nickname }),
    el("div", { class: "with-save" }, name, el("button", { class: "button", type: "submit", text: strings.save })),
    el("p", { class: "hint", id: "my-name-hint", text: strings.nicknameHint }),
    nameError);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    withErrorAt(nameError, async () => {
      store.setUser((await request("PATCH", "/api/me", { nickname: name.value.trim() })).user);
      showToast(strings.saved);
    });
  });
  return [
    el("section", { class: "picture" }, picture,
      el("div", { class: "column" },
        el("div", { class: "actions" },
          el("button", { class: "button", type: "button", text: strings.choosePicture, onclick: () => file.click() }),
          remove),
        el("p", { class: "hint", text: strings.pictureHint }),
        error, file)),
    el("section", {}, form),
  ];
}

/** Create the section for language and theme. @param {import("../conversations/store.js").Store} store */
function appearance(store) {
  const error = el("p", { class: "error", role: "alert", hidden: true });
  /** @param {"language" | "theme"} key @param {string} label @param {Record<string, string>} choices @param {() => void} [done] */
  function choice(key, label, choices, done = () => {}) {
    const select = /** @type {HTMLSelectElement} */ (el("select", { class: "input", id: `my-${key}` },
      ...Object.entries(choices).map(([value, text]) => el("option", { value, text }))));
    select.value = store.user[key];
    select.addEventListener("change", () => withErrorAt(error, async () => {
      store.setUser((await request("PATCH", "/api/me", { [key]: select.value })).user);
      done();
    }));
    return el("div", { class: "field" }, el("label", { for: select.id, text: label }), select);
  }
  return el("section", { class: "two" },
    choice("language", strings.language, LANGUAGES, () => {
      session.setItem(REOPEN_KEY, "language");
      location.reload();
    }),
    choice("theme", strings.theme, strings.themes), // main.js shows it
    error);
}

function notificationSettings() {
  const text = el("p", { class: "hint" });
  const button = el("button", { class: "button", type: "button" });
  function draw() {
    const state = notifications.permissionState();
    text.textContent = { missing: strings.notificationsMissing, denied: strings.notificationsDenied }[state] ?? strings.notificationsHint;
    button.hidden = state === "missing" || state === "denied";
    button.textContent = state === "on" ? strings.turnOff : strings.turnOn;
  }
  button.addEventListener("click", async () => {
    await notifications.setEnabled(notifications.permissionState() !== "on");
    draw();
  });
  draw();
  return section(strings.notifications, el("div", { class: "with-action" }, text, button));
}

function security() {
  return section(strings.password, el("div", { class: "with-action" },
    el("p", { class: "hint", text: strings.changePasswordHint }),
    el("button", {
      class: "button", type: "button", text: strings.changePassword,
      onclick: () => openFormDialog({
        title: strings.changePassword,
        text: strings.changePasswordHint,
        fields: [
          { name: "old", label: strings.oldPassword, kind: "password", autocomplete: "current-password", maxLength: 128 },
          {
            name: "new", label: strings.newPassword, kind: "password", autocomplete: "new-password",
            hint: strings.newPasswordHint, maxLength: 128,
          },
        ],
        action: strings.changePassword,
        async submit(values) {
          await request("PUT", "/api/me/password", values);
          return () => showToast(strings.passwordChanged);
        },
      }),
    })));
}

function sessions() {
  const list = el("ul", { class: "sessions" });
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const load = () => withErrorAt(error, async () => {
    const { sessions } = await get("/api/me/sessions");
    updateChildren(list, ...sessions.map(row));
  });
  /** @param {{id: number, agent: string, seen_at: number, current: boolean}} session */
  function row({ id, agent, seen_at: seen, current }) {
    const name = browserName(agent);
    return el("li", { "data-key": id },
      icon(/Mobile|Android|iPhone/.test(agent) ? "phone" : "screen"),
      el("p", {}, el("b", { text: name }),
        current ? el("span", { class: "hint", text: strings.thisSession }) : when(seen, "lastUsed", { class: "hint" })),
      !current && el("button", {
        class: "button", type: "button", text: strings.endSession, "aria-label": strings.endSessionNamed(name),
        onclick: () => withErrorAt(error, async () => {
          await request("DELETE", `/api/me/sessions/${id}`);
          await load();
        }),
      }));
  }
  load();
  return section(strings.sessions, list, error);
}

/** @param {() => void} deleted */
function deleteAccount(deleted) {
  openFormDialog({
    title: strings.deleteAccountQuestion,
    text: strings.deleteAccountHint,
    fields: [{ name: "password", label: strings.password, kind: "password", autocomplete: "current-password", maxLength: 128 }],
    action: strings.deleteAccount,
    danger: true,
    async submit(values) {
      expectLogout(); // the connection may be closed before the answer is here
      try {
        await request("DELETE", "/api/me", values);
      } catch (error) {
        expectLogout(false);
        if (error instanceof ApiError && error.status === 401) redirectToLogin();
        throw error;
      }
      deleted();
      redirectToLogin("deleted");
    },
  });
}

/** Names by pattern. The first match counts, because most User-Agents hold the names of other browsers, too. */
const BROWSERS = { "Edg/": "Edge", "OPR/": "Opera", "YaBrowser/": "Yandex", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari" };
const SYSTEMS = { Android: "Android", "iPhone": "iPhone", "iPad": "iPad", Windows: "Windows", "Mac OS": "macOS", CrOS: "ChromeOS", Linux: "Linux" };

/** @param {string} agent @param {Record<string, string>} names */
const find = (agent, names) => Object.entries(names).find(([mark]) => agent.includes(mark))?.[1];

/** Return the names of the browser and of the system. @param {string} agent the User-Agent header */
function browserName(agent) {
  const browser = find(agent, BROWSERS);
  const system = find(agent, SYSTEMS);
  if (browser && system) return strings.browserOn(browser, system);
  return browser ?? system ?? strings.unknownBrowser;
}
