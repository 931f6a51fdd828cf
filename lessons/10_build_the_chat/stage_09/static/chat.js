// The page of the chat. What people write becomes text nodes, never markup.
const page = document.querySelector("#chat");
const me = JSON.parse(page.dataset.user);
const log = document.querySelector("#log");
const composer = document.querySelector("#composer");
const state = document.querySelector("#state");
const title = document.querySelector("#title");
const groups = document.querySelector("#groups");
const people = document.querySelector("#people");
const conversations = new Map(); // by id: the summaries of the API, with `events` in order
const online = new Set(); // ids of users
const outbox = new Map(); // by cid: messages without an ack
let current; // the conversation that is open
let socket;
let failures = 0; // attempts to connect since the last hello
let reconnecting, waitingForPong; // timers

// Call the API; the result is the JSON of the answer.
async function call(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (response.status === 401) location.assign("/login"); // the session has ended
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.message);
  return answer;
}

function connect() {
  reconnecting = undefined;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}/ws`);
  socket.onmessage = ({ data }) => receive(JSON.parse(data));
  socket.onclose = ({ code }) => {
    if (code === 3500) return location.assign("/login"); // the session has ended
    if (code > 3500 && code < 4000) return showState("offline", "The server has closed the connection.");
    reconnect();
  };
}

// Connect again later: after each failure after a longer time, and not all pages at once.
function reconnect() {
  showState("offline", "reconnecting");
  clearTimeout(reconnecting);
  clearTimeout(waitingForPong);
  const seconds = Math.min(30, 0.5 * 2 ** failures++);
  reconnecting = setTimeout(connect, Math.random() * seconds * 1000);
}

function hurry() {
  if (document.hidden || !reconnecting) return; // no attempt is waiting
  clearTimeout(reconnecting);
  connect();
}
addEventListener("online", hurry);
document.addEventListener("visibilitychange", hurry);

// A connection may be lost without a close frame: then no pong comes.
setInterval(() => {
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ type: "ping" }));
  waitingForPong = setTimeout(() => {
    socket.onclose = null;
    socket.close();
    reconnect();
  }, 10_000);
}, 25_000);

function receiveHello({ heads, online: ids }) {
  if (failures && current && !current.loaded) openConversation(current.id); // it could not be loaded
  failures = 0;
  online.clear();
  ids.forEach((id) => online.add(id));
  showList();
  showState("online");
  resync(heads);
  outbox.forEach(transmit); // with the same cid: what was stored already is stored once
}

function receivePong({ heads }) {
  clearTimeout(waitingForPong);
  resync(heads);
}

// Load what was missed in the conversations of which the server has more.
async function resync(heads) {
  const isBehind = (id) => !conversations.has(id) || lastSeq(conversations.get(id)) < heads[id];
  const moved = Object.keys(heads).map(Number).filter(isBehind);
  if (moved.length) await loadState();
  for (const conversation of moved.map((id) => conversations.get(id)))
    while (conversation?.loaded && lastSeq(conversation) < heads[conversation.id]) {
      const path = `/api/conversations/${conversation.id}/events?after=${lastSeq(conversation)}`;
      addEvents(conversation, (await call("GET", path)).events);
    }
  markRead();
}

// The seq up to which no event is missing. An ack may bring a later one before the missed events.
const lastSeq = ({ loaded, head, events }) => !loaded ? head
  : (events.find(({ seq }, index) => events[index + 1]?.seq !== seq + 1)?.seq ?? 0);

function receive(frame) {
  if (frame.type === "message" || frame.type === "member") receiveEvent(frame);
  if (frame.type === "ack") receiveAck(frame);
  if (frame.type === "read") receiveRead(frame);
  if (frame.type === "typing") receiveTyping(frame);
  if (frame.type === "presence") receivePresence(frame);
  if (frame.type === "hello") receiveHello(frame);
  if (frame.type === "pong") receivePong(frame);
  if (frame.type === "error") receiveError(frame);
}

function showState(name, text = name) {
  state.dataset.state = name;
  state.textContent = text;
}

// Make an element with properties and children; a string becomes a text node.
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// The picture of a user, or a circle with the first letter; its colour depends on the name.
function makeAvatar(user, kind = "") {
  const className = `avatar ${kind}`;
  if (user.picture)
    return make("span", { className }, make("img", { src: `/pictures/${user.picture}.webp`, alt: "" }));
  const letter = [...user.nickname][0].toUpperCase();
  const avatar = make("span", { className, ariaHidden: "true" }, letter);
  const sum = [...user.nickname].reduce((total, each) => total * 31 + each.codePointAt(0), 7);
  avatar.style.setProperty("--hue", sum % 360);
  return avatar;
}

function makeRow(message) {
  if (message.type === "member")
    return make("div", { className: "note" }, `${message.user.nickname} has joined`);
  const mine = message.from.id === me.id;
  const at = new Date(message.at);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const bubble = make("div", { className: "bubble" },
    make("button", { className: "name", onclick: () => openPrivateChat(message.from.id) },
      message.from.nickname),
    make("p", {}, message.text),
    make("time", { dateTime: at.toISOString(), title: at.toLocaleString() }, time));
  return make("div", { className: mine ? "mine" : "theirs" }, makeAvatar(message.from), bubble);
}

function receiveEvent(event) {
  const conversation = conversations.get(event.conv);
  if (!conversation) return loadState(); // joined in another window
  if (event.seq > lastSeq(conversation) + 1) return resync({ [event.conv]: event.seq }); // one is missing
  const isNew = event.seq > conversation.head; // otherwise the state has counted it
  conversation.head = Math.max(conversation.head, event.seq);
  addEvents(conversation, [event]);
  if (event.type === "message" && isNew) {
    conversation.newest = { nickname: event.from.nickname, text: event.text, at: event.at };
    if (event.from.id !== me.id) conversation.unread += 1;
    if (event.from.id === typist?.id) showTypist();
    markRead();
  }
  showList();
}

// What is on the screen is read.
function markRead() {
  if (document.hidden || !current?.unread || socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ type: "read", conv: current.id, seq: current.head }));
}
document.addEventListener("visibilitychange", markRead);

function receiveRead({ conv, seq }) {
  const conversation = conversations.get(conv);
  if (conversation?.head <= seq) conversation.unread = 0;
  showList();
}

function receivePresence({ user, online: isOnline }) {
  online[isOnline ? "add" : "delete"](user);
  showList();
}

let typist, typistGone; // who is typing in the open conversation, and the timer that ends it
function showTypist(user) {
  typist = user;
  document.querySelector("#typing").textContent = user ? `${user.nickname} is typing` : "";
  clearTimeout(typistGone);
  if (user) typistGone = setTimeout(showTypist, 4000);
}

function receiveTyping({ conv, from }) {
  if (conv === current?.id) showTypist(from);
}

let saidTyping = 0; // the time of the last typing frame
composer.text.addEventListener("input", () => {
  if (Date.now() - saidTyping < 3000 || socket.readyState !== WebSocket.OPEN) return;
  saidTyping = Date.now();
  socket.send(JSON.stringify({ type: "typing", conv: current.id }));
});

// The server has stored the message: it is an event with a seq now.
function receiveAck({ cid, conv, seq, at }) {
  const message = outbox.get(cid);
  if (!message) return;
  outbox.delete(cid);
  message.row.classList.remove("pending");
  addEvents(conversations.get(conv), [Object.assign(message, { seq, at })]);
}

function receiveError({ cid, message: reason }) {
  const message = outbox.get(cid);
  if (!message) return showState("online", reason);
  const onclick = () => {
    transmit(message);
    composer.text.focus();
  };
  message.row.classList.add("failed");
  message.row.retry?.remove();
  message.row.retry = make("button", { className: "retry", onclick }, `Not sent: ${reason} Try again`);
  message.row.querySelector(".bubble").append(message.row.retry);
}

function transmit({ cid, conv, text, row }) {
  if (socket.readyState !== WebSocket.OPEN) return; // the hello sends it
  row?.classList.remove("failed");
  row?.retry?.remove();
  socket.send(JSON.stringify({ type: "send", cid, conv, text }));
}

// Put events into their places, by seq; those that are there already are dropped.
function addEvents(conversation, events) {
  const known = (conversation.events ??= []);
  const seqs = new Set(known.map((event) => event.seq));
  known.push(...events.filter((event) => !seqs.has(event.seq)));
  known.sort((one, other) => one.seq - other.seq);
  if (conversation === current) showLog();
}

// Show the events of the open conversation, and what waits for an ack. Rows that are there stay.
function showLog() {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const waiting = [...outbox.values()].filter((message) => message.conv === current.id);
  for (const message of waiting) (message.row ??= makeRow(message)).classList.add("pending");
  const rows = [...(current.events ?? []), ...waiting].map((event) => (event.row ??= makeRow(event)));
  rows.forEach((row, index) => {
    if (log.children[index] !== row) log.insertBefore(row, log.children[index] ?? null);
  });
  while (log.children.length > rows.length) log.lastChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

async function loadState() {
  for (const each of (await call("GET", "/api/state")).conversations) keep(each);
  showList();
}

function keep(summary) {
  conversations.set(summary.id, Object.assign(conversations.get(summary.id) ?? {}, summary));
}

function showList() {
  const at = (conversation) => conversation.newest?.at ?? 0;
  const sorted = [...conversations.values()].sort((one, other) => at(other) - at(one));
  const contacts = sorted.filter((each) => each.peer);
  document.querySelector("#list").replaceChildren(
    make("h2", {}, "Groups"), ...sorted.filter((each) => !each.peer).map(makeListRow),
    make("h2", {}, "People"), ...contacts.map(makeListRow),
    contacts.length ? "" : make("p", { className: "empty" }, "No contacts yet."));
  const unread = sorted.reduce((total, each) => total + each.unread, 0);
  document.title = unread ? `(${unread}) Chat` : "Chat";
}

function makeListRow({ id, title, peer, newest, unread }) {
  const line = newest ? `${newest.nickname}: ${newest.text}` : "No messages yet";
  const text = make("span", {}, make("b", {}, title), make("small", {}, line));
  const onclick = () => openConversation(id);
  const kind = peer ? "" : "group";
  const avatar = makeAvatar(peer ?? { nickname: title }, online.has(peer?.id) ? "online" : kind);
  const row = make("button", { className: "row", onclick }, avatar, text);
  if (unread) row.append(make("span", { className: "badge", ariaLabel: "unread" }, `${unread}`));
  row.ariaCurrent = id === current?.id ? "true" : null;
  return row;
}

async function openConversation(id) {
  current = conversations.get(id);
  page.dataset.view = "conversation";
  title.textContent = current.title;
  composer.hidden = false;
  showTypist();
  markRead();
  log.replaceChildren();
  showList();
  if (!current.loaded) await loadOlder(current);
  resync({ [id]: conversations.get(id).head }); // live events from before may leave a gap
  if (current?.id !== id) return; // another one was opened meanwhile
  showLog();
  log.scrollTop = log.scrollHeight;
}

// Load the page of events before the first one that is here.
async function loadOlder(conversation) {
  const before = conversation.loaded ? `?before=${conversation.events[0].seq}` : "";
  const { events } = await call("GET", `/api/conversations/${conversation.id}/events${before}`);
  conversation.loaded = true;
  conversation.complete = events.length < 100;
  addEvents(conversation, events);
}

log.onscroll = async () => {
  const conversation = current;
  if (log.scrollTop > 0 || !conversation || conversation.complete || conversation.loading) return;
  conversation.loading = true;
  const below = log.scrollHeight;
  await loadOlder(conversation).finally(() => (conversation.loading = false));
  if (conversation === current) log.scrollTop = log.scrollHeight - below;
};

document.querySelector("#back").onclick = () => {
  page.dataset.view = "list";
  current = undefined; // what arrives now is unread
  composer.hidden = true; // a phone that is turned shows both panes
  title.textContent = "Chat";
  log.replaceChildren();
  showList();
};

// The dialog of all groups
document.querySelector("#find-groups").onclick = async () => {
  groups.showModal();
  const found = (await call("GET", "/api/groups")).groups;
  document.querySelector("#found-groups").replaceChildren(...found.map(makeGroupRow));
};

function makeGroupRow({ id, title, members, joined }) {
  const count = make("small", {}, members === 1 ? "1 member" : `${members} members`);
  const text = make("span", {}, make("b", {}, title), count);
  const onclick = () => enter(groups, call("POST", `/api/groups/${id}/join`));
  const button = make("button", { onclick }, joined ? "Open" : "Join");
  return make("div", { className: "row" }, makeAvatar({ nickname: title }, "group"), text, button);
}

document.querySelector("#create-group").onsubmit = (event) => {
  event.preventDefault();
  enter(groups, call("POST", "/api/groups", { title: event.target.elements.title.value }));
  event.target.reset();
};

// Open the conversation that a call returns, and close the dialog; or show what is wrong.
async function enter(dialog, answer) {
  const error = dialog.querySelector(".error");
  error.textContent = "";
  try {
    const { conversation } = await answer;
    keep(conversation);
    openConversation(conversation.id);
    dialog.close();
  } catch ({ message }) {
    error.textContent = message;
  }
}

// Contacts and the own picture
async function openPrivateChat(id) {
  if (id === me.id) return;
  const { conversation } = await call("POST", `/api/private/${id}`);
  keep(conversation);
  openConversation(conversation.id);
}

document.querySelector("#find-people").onclick = () => people.showModal();

document.querySelector("#add-contact").onsubmit = (event) => {
  event.preventDefault();
  enter(people, call("POST", "/api/contacts", { name: event.target.elements.name.value }));
};

const file = document.querySelector("#picture-file");
const myPicture = document.querySelector("#my-picture");
myPicture.replaceChildren(makeAvatar(me));
myPicture.onclick = () => file.click();
file.onchange = async () => {
  const response = await fetch("/api/me/picture", { method: "PUT", body: file.files[0] });
  const answer = await response.json();
  if (!response.ok) return alert(answer.error.message);
  me.picture = answer.picture;
  myPicture.replaceChildren(makeAvatar(me));
};

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = composer.text.value.trim();
  if (!text) return;
  const cid = crypto.randomUUID();
  const message = { type: "message", cid, conv: current.id, text, from: me, at: Date.now() };
  outbox.set(cid, message);
  transmit(message);
  saidTyping = 0; // the next key is reported at once
  showLog();
  composer.reset();
  fitComposer();
  log.scrollTop = log.scrollHeight;
});

// Enter sends, Shift+Enter breaks the line. An Enter that an input method uses does neither.
composer.text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});

function fitComposer() {
  composer.text.style.height = "auto";
  composer.text.style.height = `${composer.text.scrollHeight + 2}px`;
}
composer.text.addEventListener("input", fitComposer);

loadState().finally(connect).then(() => {
  if (matchMedia("(min-width: 701px)").matches) openConversation(1); // a phone shows the list
});
