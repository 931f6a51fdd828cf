/** The chat page: creates its parts and connects them. */

import { avatar } from "./accounts/avatar.js";
import { remember } from "./accounts/user_directory.js";
import { expectLogout, post } from "./api.js";
import { onTick } from "./browser/clock.js";
import { byId, setText } from "./browser/dom.js";
import { APPLE, isShortcut, keyOf } from "./browser/keys.js";
import { currentRoute, href, navigate, navigateUp, onNavigate } from "./browser/router.js";
import { local } from "./browser/storage.js";
import { Drafts } from "./conversations/drafts.js";
import { Store } from "./conversations/store.js";
import { strings } from "./i18n/strings.js";
import { Outbox } from "./realtime/outbox.js";
import { Sync } from "./realtime/sync.js";
import { copyText } from "./views/clipboard.js";
import { composerView } from "./views/composer.js";
import { connectionBanner } from "./views/connection_banner.js";
import { conversationsView } from "./views/conversations.js";
import { detailsPanelView } from "./views/details_panel.js";
import { documentTitle } from "./views/document_title.js";
import { createGroup, offerGroup, offerInvite, openNameDialog } from "./views/groups.js";
import { headerView } from "./views/header.js";
import { liveAnnouncer } from "./views/live_announcer.js";
import { LogView } from "./views/log_view.js";
import { notifyMessage } from "./views/notifications.js";
import { openProfile, reopenProfile } from "./views/profile.js";
import { browseGroups } from "./views/public_groups.js";
import { searchView } from "./views/search.js";
import { showError, showToast } from "./views/toast.js";

const PANEL_KEY = "panel"; // in localStorage: whether the details panel is beside the conversation

const page = document.body;
const wide = matchMedia("(width >= 68rem)");
const phone = matchMedia("(width < 45rem)");

const me = { id: Number(page.dataset.userId), nickname: page.dataset.nickname ?? "", picture: page.dataset.picture || null };
remember(me);
const store = new Store();
const outboxKey = `outbox-${me.id}`;
const outbox = new Outbox(local, outboxKey);
const drafts = new Drafts(local, `drafts-${me.id}`);
const sync = new Sync(store, outbox, `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`,
  (conversation, event) => notifyMessage(conversation, event, me.id));

const header = headerView(store);
const messages = new LogView(store, outbox, sync, {
  canWrite: () => composer.canWrite(),
  reply: (event) => composer.reply(event),
  edit: (event) => composer.edit(event, outbox.edits(event.conv).get(event.seq)?.text ?? event.text ?? ""),
});
const composer = composerView(store, drafts, {
  send(text, { edit, reply }) {
    if (!store.open) return;
    if (!edit) messages.scrollToOwnMessage();
    sync.send(store.open, text, { edit: edit?.seq, reply: reply?.seq });
  },
  focusOwnMessage: () => messages.focusOwnMessage(),
  typing: () => store.open && sync.typing(store.open),
});
const openCreateGroup = () => createGroup(store, openConversation);
const list = conversationsView(store, drafts, { openConversation, loadMore: () => sync.loadMore(), reopened: () => composer.focus() });
const panel = detailsPanelView(store, { isOpen: () => byId("about-sheet").offsetParent !== null, openConversation });
const search = searchView(store, (seq) => {
  if (wide.matches) return messages.jump(seq);
  // The log is hidden until the route has changed, and a row of a hidden log cannot be scrolled to.
  addEventListener("popstate", () => messages.jump(seq), { once: true });
  navigateUp(href(store.openId));
});
connectionBanner(store, () => sync.reconnect());
documentTitle(store);
liveAnnouncer(store);

/** Open a conversation that was just created or joined. @param {any} summary */
function openConversation(summary) {
  store.upsert(summary);
  navigate(href(summary.id));
}

/** The title of the open conversation, for the toast after the reader was removed from it. */
let openTitle = "";

/** The id of the route's conversation while it is fetched, because its page of the list is not loaded. */
let awaited = 0;

/** Go to the list from a conversation of which the reader is no member, and say why or offer to join it. @param {number} id */
function leaveForeign(id) {
  if (store.openId === id) showToast(strings.gone(openTitle));
  else offerGroup(id, openConversation).catch(showError);
  navigateUp(href(null));
}

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
      else leaveForeign(requested);
    });
  }
  if (route.conv !== null && !conversation && store.ready) {
    return leaveForeign(route.conv);
  }
  if (route.token !== null && store.ready) {
    offerInvite(route.token, openConversation).catch(showError);
    return navigateUp(href(null)); // so that loading the page again does not ask again
  }
  if (conversation) openTitle = conversation.title;
  const moved = store.openId !== (conversation?.id ?? null);
  store.openId = conversation?.id ?? null;
  page.dataset.pane = route.conv === null ? "list" : route.panel && !wide.matches ? "panel" : "talk";
  showPanel();
  byId("welcome").hidden = route.conv !== null;
  byId("talk").hidden = !conversation;
  store.notify("open", "members", "typing");
  if (conversation && moved) {
    if (route.seq === null) sync.history.open(conversation);
    list.clearSearch(); // it has led here
  }
  messages.show(conversation, route.seq);
  composer.show(conversation);
  if (conversation && route.panel === "search") search.show();
  else if (page.dataset.pane === "panel") byId("about-title").focus();
  else if (conversation && moved && route.seq === null) (phone.matches ? header : composer).focus();
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
const openAddContact = () => openNameDialog({
  title: strings.addContact,
  hint: strings.addContactHint,
  async submit(name) {
    const { contact } = await post("/api/contacts", { name });
    store.setContacts([contact], false);
    showToast(strings.contactAdded);
  },
});
/** What the buttons with a `data-action` do; some are in the page twice. @type {Record<string, () => void>} */
const actions = {
  "add-contact": openAddContact,
  create: openCreateGroup,
  find: () => void browseGroups(openConversation).catch(showError),
  "copy-name": () => copyText(store.user.name),
};
page.addEventListener("click", ({ target }) => {
  const button = /** @type {Element} */ (target).closest("[data-action]");
  actions[button?.getAttribute("data-action") ?? ""]?.();
});
page.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault(); // following the link would change the fragment, which is the route
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

/** Remove the reader's texts from this browser, which another person may use next. */
function forgetTexts() {
  drafts.clear();
  outbox.clear();
}

byId("profile").addEventListener("click", () => openProfile(store, forgetTexts));
byId("log-out").addEventListener("submit", () => {
  expectLogout();
  forgetTexts();
});
addEventListener("storage", ({ key, oldValue, newValue }) => {
  if (key !== outboxKey) return;
  outbox.forgetRemoved(oldValue, newValue);
  store.notify("timeline");
});
byId("my-avatar").replaceChildren(avatar(me, "small"));
store.subscribe(["user"], () => {
  setText(byId("my-nickname"), store.user.nickname);
  document.documentElement.dataset.theme = store.user.theme;
});
onTick(() => store.notify("timeline")); // the day of a message depends on the time zone
onNavigate(show);
store.subscribe(["conversations"], () => {
  // The first state has arrived, or the reader is no longer a member of the open conversation.
  const { conv, token } = currentRoute();
  if (token !== null || conv !== (store.open?.id ?? null)) show();
});
show();
sync.start().then(() => reopenProfile(store, forgetTexts));
