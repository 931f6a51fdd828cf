/** The chat page: makes the parts and joins them. */

import { avatar } from "./accounts/avatar.js";
import { post } from "./api.js";
import { onTick } from "./browser/clock.js";
import { byId, setText } from "./browser/dom.js";
import { Drafts } from "./conversations/drafts.js";
import { tell } from "./views/notifications.js";
import { Outbox } from "./realtime/outbox.js";
import { meet } from "./accounts/user_directory.js";
import { APPLE, isShortcut, keyOf } from "./browser/keys.js";
import { go, here, href, onMove, up } from "./browser/router.js";
import { local, session } from "./browser/storage.js";
import { Store } from "./conversations/store.js";
import { strings } from "./i18n/strings.js";
import { Sync } from "./realtime/sync.js";
import { composerView } from "./views/composer.js";
import { conversationsView } from "./views/conversations.js";
import { askForName, createGroup } from "./views/groups.js";
import { headerView } from "./views/header.js";
import { MessagesView } from "./views/log_view.js";
import { notice } from "./views/toast.js";
import { openProfile } from "./views/profile.js";
import { panelView } from "./views/details_panel.js";
import { searchView } from "./views/search.js";
import { announcer, connectionView, titleView } from "./views/status.js";

const PANEL = "panel"; // in localStorage: whether the members stand beside the conversation

const page = document.body;
const wide = matchMedia("(width >= 68rem)");
const phone = matchMedia("(width < 45rem)");

const me = { id: Number(page.dataset.userId), nickname: page.dataset.nickname ?? "", picture: page.dataset.picture || null };
meet(me);
const store = new Store();
const outbox = new Outbox(session, `outbox-${me.id}`);
const drafts = new Drafts(local, `drafts-${me.id}`);
const sync = new Sync(store, outbox, `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`,
  (conversation, event) => tell(conversation, event, me.id));

const header = headerView(store);
const messages = new MessagesView(store, outbox, sync);
const composer = composerView(store, drafts, {
  send(text) {
    if (!store.open) return;
    messages.follow();
    sync.send(store.open, text);
  },
  typing: () => store.open && sync.typing(store.open),
  back: () => messages.focusNewestOwn(),
});
const openDialog = (/** @type {string} */ title = "") => createGroup(store, enter, title);
const list = conversationsView(store, drafts, { create: openDialog, enter, more: () => sync.more() });
const panel = panelView(store, { isOpen: () => byId("about-sheet").offsetParent !== null, enter });
const search = searchView(store, (seq) => {
  if (!wide.matches) up(href(store.openId));
  messages.jump(seq);
});
connectionView(store);
titleView(store);
announcer(store);

/** A conversation that was just made or joined. @param {any} summary */
function enter(summary) {
  store.put(summary);
  go(href(summary.id));
}

/** What the open conversation is called, for when it is ours no more. */
let title = "";

/** The conversation of the address while it is asked for: it is on a page that is not loaded. */
let awaited = 0;

/** Show what the address says. */
function show() {
  const place = here();
  const conversation = place.conv === null ? undefined : store.conversations.get(place.conv);
  if (place.conv !== null && !conversation && store.next && store.openId !== place.conv) {
    if (awaited === place.conv) return;
    const asked = (awaited = place.conv);
    return void sync.look(asked).then((ours) => {
      if (awaited === asked) awaited = 0;
      if (here().conv !== asked) return;
      if (ours) show();
      else up(href(null));
    });
  }
  if (place.conv !== null && !conversation && store.ready) {
    if (store.openId === place.conv) notice(strings.gone(title));
    return up(href(null));
  }
  if (conversation) title = conversation.title;
  const moved = store.openId !== (conversation?.id ?? null);
  store.openId = conversation?.id ?? null;
  page.dataset.pane = place.conv === null ? "list" : place.panel && !wide.matches ? "panel" : "talk";
  showPanel();
  byId("welcome").hidden = place.conv !== null;
  byId("talk").hidden = !conversation;
  store.changed("open", "members", "typing");
  messages.show(conversation);
  composer.show(conversation);
  if (conversation && moved) sync.history.open(conversation);
  if (conversation && place.panel === "search") search.show();
  else if (page.dataset.pane === "panel") byId("about-title").focus();
  else if (conversation && moved) (phone.matches ? header : composer).focus();
}

function showPanel() {
  const { panel: asked } = here();
  const searching = asked === "search";
  const wanted = searching || local.getItem(PANEL) !== "closed";
  page.dataset.panel = wanted && store.openId !== null ? "open" : "closed";
  byId("about-sheet").hidden = searching;
  byId("find-sheet").hidden = !searching;
  const shown = wide.matches ? page.dataset.panel === "open" : page.dataset.pane === "panel";
  byId("people").setAttribute("aria-expanded", String(shown && !searching));
  byId("find-button").setAttribute("aria-expanded", String(shown && searching));
}

byId("people").addEventListener("click", () => {
  const searching = here().panel === "search";
  if (!wide.matches) return go(href(store.openId, "members"));
  local.setItem(PANEL, page.dataset.panel === "open" && !searching ? "closed" : "open");
  if (searching) return up(href(store.openId));
  showPanel();
  panel.draw();
});
byId("find-button").addEventListener("click", () => {
  if (here().panel === "search") up(href(store.openId));
  else go(href(store.openId, "search"));
});
byId("find-sheet").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  if (keyOf(event) === "Escape" && !byId("find").value) up(href(store.openId));
});
for (const button of page.querySelectorAll("[data-back]")) {
  const toList = button.getAttribute("data-back") === "list";
  button.addEventListener("click", () => up(href(toList ? null : store.openId)));
}
byId("create").addEventListener("click", () => openDialog());
byId("add-contact").addEventListener("click", () => askForName({
  title: strings.addContact,
  hint: strings.addContactHint,
  async submit(name) {
    const { contact } = await post("/api/contacts", { name });
    store.setContacts([contact], false);
    notice(strings.contactAdded);
  },
}));
page.querySelector('[data-action="create"]')?.addEventListener("click", () => openDialog());
page.querySelector('[data-action="find"]')?.addEventListener("click", list.focusSearch);
page.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault(); // the address is the route
  composer.focus();
});
if (APPLE) byId("search").setAttribute("aria-keyshortcuts", "Meta+K");
addEventListener("keydown", (event) => {
  if (isShortcut(event, "k")) {
    event.preventDefault();
    if (phone.matches && store.openId !== null) up(href(null));
    list.focusSearch();
  }
});
wide.addEventListener("change", show);

byId("profile").addEventListener("click", () => openProfile(store));
byId("log-out").addEventListener("submit", () => drafts.clear()); // others may use this browser next
byId("my-avatar").replaceChildren(avatar(me, "small"));
store.subscribe(["user"], () => setText(byId("my-nickname"), store.user.nickname));
onTick(() => store.changed("timeline")); // which messages share a day depends on the time zone
onMove(show);
store.subscribe(["conversations"], () => {
  // The first state has come, or the open conversation is ours no more.
  if (here().conv !== (store.open?.id ?? null)) show();
});
show();
sync.start().then(() => list.suggest());
