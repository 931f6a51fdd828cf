/** The chat page: creates its parts and connects them. */

import { avatar } from "./accounts/avatar.js";
import { remember } from "./accounts/user_directory.js";
import { post } from "./api.js";
import { onTick } from "./browser/clock.js";
import { byId, setText } from "./browser/dom.js";
import { APPLE, isShortcut, keyOf } from "./browser/keys.js";
import { currentRoute, href, navigate, navigateUp, onNavigate } from "./browser/router.js";
import { local, session } from "./browser/storage.js";
import { Drafts } from "./conversations/drafts.js";
import { Store } from "./conversations/store.js";
import { strings } from "./i18n/strings.js";
import { Outbox } from "./realtime/outbox.js";
import { Sync } from "./realtime/sync.js";
import { composerView } from "./views/composer.js";
import { connectionBanner } from "./views/connection_banner.js";
import { conversationsView } from "./views/conversations.js";
import { detailsPanelView } from "./views/details_panel.js";
import { documentTitle } from "./views/document_title.js";
import { createGroup, openNameDialog } from "./views/groups.js";
import { headerView } from "./views/header.js";
import { liveAnnouncer } from "./views/live_announcer.js";
import { LogView } from "./views/log_view.js";
import { notifyMessage } from "./views/notifications.js";
import { openProfile } from "./views/profile.js";
import { searchView } from "./views/search.js";
import { showToast } from "./views/toast.js";

const PANEL_KEY = "panel"; // in localStorage: whether the details panel is beside the conversation

const page = document.body;
const wide = matchMedia("(width >= 68rem)");
const phone = matchMedia("(width < 45rem)");

const me = { id: Number(page.dataset.userId), nickname: page.dataset.nickname ?? "", picture: page.dataset.picture || null };
remember(me);
const store = new Store();
const outbox = new Outbox(session, `outbox-${me.id}`);
const drafts = new Drafts(local, `drafts-${me.id}`);
const sync = new Sync(store, outbox, `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`,
  (conversation, event) => notifyMessage(conversation, event, me.id));

const header = headerView(store);
const messages = new LogView(store, outbox, sync);
const composer = composerView(store, drafts, {
  send(text) {
    if (!store.open) return;
    messages.scrollToOwnMessage();
    sync.send(store.open, text);
  },
  typing: () => store.open && sync.typing(store.open),
  focusNewestOwn: () => messages.focusNewestOwn(),
});
const openCreateGroup = (/** @type {string} */ title = "") => createGroup(store, openConversation, title);
const list = conversationsView(store, drafts, { create: openCreateGroup, openConversation, loadMore: () => sync.loadMore() });
const panel = detailsPanelView(store, { isOpen: () => byId("about-sheet").offsetParent !== null, openConversation });
const search = searchView(store, (seq) => {
  if (!wide.matches) navigateUp(href(store.openId));
  messages.jump(seq);
});
connectionBanner(store);
documentTitle(store);
liveAnnouncer(store);

/** Open a conversation that was just created or joined. @param {any} summary */
function openConversation(summary) {
  store.upsert(summary);
  navigate(href(summary.id));
}

/** The title of the open conversation, for the message after the reader was removed from it. */
let openTitle = "";

/** The id of the route's conversation while it is being loaded: it is on a page that is not loaded. */
let awaited = 0;

/** Show the current route. */
function show() {
  const route = currentRoute();
  const conversation = route.conv === null ? undefined : store.conversations.get(route.conv);
  if (route.conv !== null && !conversation && store.next && store.openId !== route.conv) {
    if (awaited === route.conv) return;
    const requested = (awaited = route.conv);
    return void sync.loadConversation(requested).then((ours) => {
      if (awaited === requested) awaited = 0;
      if (currentRoute().conv !== requested) return;
      if (ours) show();
      else navigateUp(href(null));
    });
  }
  if (route.conv !== null && !conversation && store.ready) {
    if (store.openId === route.conv) showToast(strings.gone(openTitle));
    return navigateUp(href(null));
  }
  if (conversation) openTitle = conversation.title;
  const moved = store.openId !== (conversation?.id ?? null);
  store.openId = conversation?.id ?? null;
  page.dataset.pane = route.conv === null ? "list" : route.panel && !wide.matches ? "panel" : "talk";
  showPanel();
  byId("welcome").hidden = route.conv !== null;
  byId("talk").hidden = !conversation;
  store.notify("open", "members", "typing");
  messages.show(conversation);
  composer.show(conversation);
  if (conversation && moved) sync.history.open(conversation);
  if (conversation && route.panel === "search") search.show();
  else if (page.dataset.pane === "panel") byId("about-title").focus();
  else if (conversation && moved) (phone.matches ? header : composer).focus();
}

function showPanel() {
  const { panel: routePanel } = currentRoute();
  const searching = routePanel === "search";
  const wanted = searching || local.getItem(PANEL_KEY) !== "closed";
  page.dataset.panel = wanted && store.openId !== null ? "open" : "closed";
  byId("about-sheet").hidden = searching;
  byId("find-sheet").hidden = !searching;
  const shown = wide.matches ? page.dataset.panel === "open" : page.dataset.pane === "panel";
  byId("people").setAttribute("aria-expanded", String(shown && !searching));
  byId("find-button").setAttribute("aria-expanded", String(shown && searching));
}

byId("people").addEventListener("click", () => {
  const searching = currentRoute().panel === "search";
  if (!wide.matches) return navigate(href(store.openId, "members"));
  local.setItem(PANEL_KEY, page.dataset.panel === "open" && !searching ? "closed" : "open");
  if (searching) return navigateUp(href(store.openId));
  showPanel();
  panel.draw();
});
byId("find-button").addEventListener("click", () => {
  if (currentRoute().panel === "search") navigateUp(href(store.openId));
  else navigate(href(store.openId, "search"));
});
byId("find-sheet").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  if (keyOf(event) === "Escape" && !byId("find").value) navigateUp(href(store.openId));
});
for (const button of page.querySelectorAll("[data-back]")) {
  const toList = button.getAttribute("data-back") === "list";
  button.addEventListener("click", () => navigateUp(href(toList ? null : store.openId)));
}
byId("create").addEventListener("click", () => openCreateGroup());
byId("add-contact").addEventListener("click", () => openNameDialog({
  title: strings.addContact,
  hint: strings.addContactHint,
  async submit(name) {
    const { contact } = await post("/api/contacts", { name });
    store.setContacts([contact], false);
    showToast(strings.contactAdded);
  },
}));
page.querySelector('[data-action="create"]')?.addEventListener("click", () => openCreateGroup());
page.querySelector('[data-action="find"]')?.addEventListener("click", list.focusSearch);
page.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault(); // the address is the route
  composer.focus();
});
if (APPLE) byId("search").setAttribute("aria-keyshortcuts", "Meta+K");
addEventListener("keydown", (event) => {
  if (isShortcut(event, "k")) {
    event.preventDefault();
    if (phone.matches && store.openId !== null) navigateUp(href(null));
    list.focusSearch();
  }
});
wide.addEventListener("change", show);

byId("profile").addEventListener("click", () => openProfile(store));
byId("log-out").addEventListener("submit", () => drafts.clear()); // others may use this browser next
byId("my-avatar").replaceChildren(avatar(me, "small"));
store.subscribe(["user"], () => setText(byId("my-nickname"), store.user.nickname));
onTick(() => store.notify("timeline")); // which messages share a day depends on the time zone
onNavigate(show);
store.subscribe(["conversations"], () => {
  // The first state has come, or the reader is no longer a member of the open conversation.
  if (currentRoute().conv !== (store.open?.id ?? null)) show();
});
show();
sync.start().then(() => list.suggest());
