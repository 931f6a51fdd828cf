/** The title of the window: the open conversation and the number of unread messages. */

import { strings } from "../i18n/strings.js";

/** Keep the title of the window up to date. @param {import("../conversations/store.js").Store} store */
export function documentTitle(store) {
  store.subscribe(["conversations", "open"], () => {
    const [unread, more] = store.unread;
    const name = store.open ? `${store.open.title} · ${strings.appName}` : strings.appName;
    const title = unread ? `(${unread}${more ? "+" : ""}) ${name}` : name;
    if (document.title !== title) document.title = title;
  });
}
