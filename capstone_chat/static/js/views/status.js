/** What the page says quietly: the connection, the title's count, and new messages for screen readers. */

import { byId, setText } from "../browser/dom.js";
import { nameOf } from "../accounts/user_directory.js";
import { strings } from "../i18n/strings.js";

const SAY_AFTER = 800; // milliseconds: a short break is not worth a word
const ANNOUNCE_EVERY = 1_500;

/** @param {import("../conversations/store.js").Store} store */
export function connectionView(store) {
  // A phone shows one pane at a time, so each pane says it.
  const places = [byId("connection"), byId("talk-connection")];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function say() {
    const text =
      store.connection === "open" ? ""
      : store.connection === "refused" ? strings.refused
      : store.connection === "connecting" ? strings.connecting
      : strings.reconnecting;
    for (const place of places) setText(place, text);
  }

  function draw() {
    document.body.dataset.connection = store.connection;
    if (store.connection === "open" || store.connection === "refused") {
      clearTimeout(timer);
      timer = undefined;
      say();
    } else timer ??= setTimeout(say, SAY_AFTER);
  }

  store.subscribe(["connection"], draw);
  draw();
}

/** @param {import("../conversations/store.js").Store} store */
export function titleView(store) {
  store.subscribe(["conversations", "open"], () => {
    const { unread } = store;
    const place = store.open ? `${store.open.title} · ${strings.appName}` : strings.appName;
    const title = unread ? `(${unread}) ${place}` : place;
    if (document.title !== title) document.title = title;
  });
}

/** New messages of the open conversation, at a pace that can be listened to. @param {import("../conversations/store.js").Store} store */
export function announcer(store) {
  const place = byId("announcer");
  /** @type {import("../conversations/store.js").Conversation | undefined} */
  let conversation;
  let said = 0;
  let waiting = false;

  function speak() {
    waiting = false;
    if (!conversation) return;
    const { timeline } = conversation;
    const fresh = [];
    for (let seq = Math.max(said + 1, timeline.first); seq <= timeline.last; seq++) {
      const event = timeline.at(seq);
      if (event?.type === "message" && event.text !== null && event.from.id !== store.user.id) fresh.push(event);
    }
    said = timeline.last;
    if (fresh.length === 1) {
      setText(place, strings.announce(nameOf(fresh[0].from), fresh[0].text ?? ""));
    } else if (fresh.length > 1) setText(place, strings.announceMany(fresh.length));
  }

  store.subscribe(["timeline", "open"], () => {
    const { open } = store;
    if (open !== conversation || !open?.timeline.following || said === 0) {
      conversation = open;
      said = open?.timeline.following ? open.timeline.last : 0; // history is not news
      place.textContent = "";
    } else if (open.timeline.last > said && !waiting) {
      waiting = true;
      setTimeout(speak, ANNOUNCE_EVERY);
    }
  });
}
