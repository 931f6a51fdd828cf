/** The title of the window: the open conversation and the number of unread messages. */

import { strings } from "../i18n/strings.js";

/** @param {import("../conversations/store.js").Store} store */
export function documentTitle(store) {
  store.subscribe(["conversations", "open"], () => {
    const { unread } = store;
    const name = store.open ? `${store.open.title} · ${strings.appName}` : strings.appName;
    const title = unread ? `(${unread}) ${name}` : name;
    if (document.title !== title) document.title = title;
  });
}
