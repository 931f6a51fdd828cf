/**
 * Plays scenarios on the page's own modules, with a simulated server, network and clock.
 *
 * Each line of the input is a list of steps. Each line of the output lists the differences from the
 * server's state in the end; it is empty when every history, count and message is right. The network
 * loses, duplicates and reorders frames, and answers requests late or never; at the end it works again.
 */

import { createInterface } from "node:readline";

const ME = 1;
const OTHER = 2;
const PAGE = 20; // events in an answer of this server at the most
const LIST_PAGE = 2; // conversations in an answer at the most
const ROUNDS = 40; // timers that fire after the network works again, among them reconnects and a ping
const COUNTED = 100; // the server counts unread messages among so many of the newest events

// The browser, as far as the modules need it.

let timers = [];
let clock = 0;
globalThis.setTimeout = (work, after = 0) => {
  const timer = { work, at: clock + after };
  timers.push(timer);
  return timer;
};
globalThis.clearTimeout = globalThis.clearInterval = (timer) => {
  timers = timers.filter((other) => other !== timer);
};
globalThis.setInterval = (work, every) => {
  const timer = { work, at: clock + every, every };
  timers.push(timer);
  return timer;
};
globalThis.requestAnimationFrame = (work) => setTimeout(work, 16);
globalThis.addEventListener = () => {};
globalThis.document = {
  documentElement: { lang: "en" },
  hidden: false,
  addEventListener() {},
  querySelector: () => null,
  querySelectorAll: () => [],
};

/** Fire the earliest timer. */
function tick() {
  timers.sort((a, b) => a.at - b.at);
  const timer = timers.shift();
  if (!timer) return;
  clock = Math.max(clock, timer.at);
  if (timer.every) timers.push({ ...timer, at: clock + timer.every });
  timer.work();
}

/** Return whether the list may show an event as the newest one. */
const isListed = (event) => event.type !== "deleted" && event.type !== "edited";

const flush = () => new Promise((resolve) => setImmediate(resolve));

// The network.

let world;

class WebSocket {
  static OPEN = 1;
  readyState = 1;
  incoming = [];
  outgoing = [];

  constructor() {
    world.sockets.push(this);
    this.deliver({ type: "hello", user: { id: ME, nickname: "me" }, heads: world.heads(), online: [], invitations: [] });
  }

  send(data) {
    this.outgoing.push(JSON.parse(data));
  }

  deliver(frame) {
    if (this.readyState === 1) this.incoming.push(JSON.stringify(frame));
  }

  close() {
    if (this.readyState !== 1) return;
    this.readyState = 3;
    this.incoming = [];
    this.outgoing = [];
    this.onclose?.({ code: 1006 });
  }
}
globalThis.WebSocket = WebSocket;

globalThis.fetch = (path) =>
  new Promise((resolve, reject) => {
    // The answer is the server's state at the time of the request.
    const body = structuredClone(world.get(new URL(path, "http://chat")));
    world.requests.push({
      answer: () => resolve({ ok: true, status: 200, json: async () => body }),
      fail: () => reject(new TypeError("no network")),
    });
  });

// The server.

class World {
  sockets = [];
  requests = [];
  histories = new Map();
  read = new Map();
  cids = new Map();
  clock = 0;

  constructor(sizes) {
    sizes.forEach((size, index) => {
      this.histories.set(index + 1, []);
      this.read.set(index + 1, 0);
      for (let i = 0; i < size; i++) this.post(index + 1, OTHER, `old ${i}`);
    });
  }

  get socket() {
    return this.sockets.findLast(({ readyState }) => readyState === 1);
  }

  heads() {
    return Object.fromEntries([...this.histories].map(([conv, events]) => [conv, events.length]));
  }

  append(conv, event) {
    const events = this.histories.get(conv);
    const whole = { conv, seq: events.length + 1, at: ++this.clock, ...event };
    events.push(whole);
    this.socket?.deliver(whole);
    return whole;
  }

  post(conv, id, text) {
    return this.append(conv, this.words(id, text));
  }

  /** Choose a message that somebody has written and not deleted, one of the newest or of all. */
  choose(conv, index, id, newest = 4) {
    const written = this.histories.get(conv).filter(
      ({ type, text, from }) => type === "message" && text !== null && from.id === id).slice(-newest);
    return written[index % (written.length || 1)];
  }

  remove(conv, index) {
    const message = this.choose(conv, index, OTHER, index % 2 ? 4 : Infinity);
    if (!message) return;
    this.histories.get(conv)[message.seq - 1] = { ...message, text: null, edited: undefined };
    this.append(conv, { type: "deleted", from: message.from, target: message.seq });
  }

  edit(conv, message, text) {
    if (!message) return;
    const edited = this.histories.get(conv).length + 1;
    this.histories.get(conv)[message.seq - 1] = { ...message, text, edited };
    this.append(conv, { type: "edited", from: message.from, target: message.seq, text });
  }

  answer(conv, index) {
    const message = this.choose(conv, index, OTHER);
    if (message) this.append(conv, { ...this.words(OTHER, `answer ${index}`), reply: this.quote(conv, message.seq) });
  }

  words(id, text) {
    return { type: "message", from: { id, nickname: String(id) }, text };
  }

  quote(conv, target) {
    const { seq, from, text, edited } = this.histories.get(conv)[target - 1];
    return { seq, from, text, edited };
  }

  /** An event as an answer to a request has it: the newest texts of the messages that it is about. */
  now(conv, event) {
    if (event.type === "edited") return { ...event, text: this.histories.get(conv)[event.target - 1].text };
    return event.reply ? { ...event, reply: this.quote(conv, event.reply.seq) } : event;
  }

  unread(conv) {
    const read = this.read.get(conv);
    return this.histories.get(conv).filter(({ type, seq, from, text }) =>
      type === "message" && text !== null && seq > read && from.id !== ME).length;
  }

  get({ pathname, searchParams }) {
    const asked = (name) => (searchParams.has(name) ? Number(searchParams.get(name)) : null);
    if (pathname === "/api/state") {
      return { user: { id: ME, nickname: "me" }, contacts: [], contacts_next: null, invitations: [], groups: null, groups_next: null, limits: {}, heads: this.heads(), ...this.list(Infinity) };
    }
    if (pathname === "/api/conversations") return this.list(Number(searchParams.get("before")));
    const conv = Number(pathname.split("/")[3]);
    if (pathname === `/api/conversations/${conv}`) return { conversation: this.summary(conv) };
    const events = this.histories.get(conv);
    const limit = Math.min(PAGE, asked("limit"));
    const [before, after] = [asked("before"), asked("after")];
    const page = after !== null ? events.slice(after, after + limit)
      : events.slice(0, before === null ? undefined : before - 1).slice(-limit);
    return { events: page.map((event) => this.now(conv, event)), head: events.length };
  }

  /** A page of conversations with their newest event before `before`, the most recent first. */
  list(before) {
    const newest = (conv) => this.histories.get(conv).at(-1)?.at ?? 0; // also an edit or a deletion
    const later = [...this.histories.keys()].filter((conv) => newest(conv) < before).sort((a, b) => newest(b) - newest(a));
    const page = later.slice(0, LIST_PAGE);
    const next = later.length > LIST_PAGE ? String(newest(page.at(-1))) : null;
    return { conversations: page.map((conv) => this.summary(conv)), next };
  }

  summary(id) {
    const events = this.histories.get(id);
    return {
      id, kind: "group", title: this.title(id), description: "", public: true, role: "member",
      head: events.length, read: this.read.get(id), last: events.findLast(isListed) ?? null,
      members: this.members(id),
      unread: Math.min(this.unread(id), COUNTED),
    };
  }

  title(conv) {
    return this.histories.get(conv).findLast(({ type }) => type === "title")?.text ?? "first";
  }

  members(conv) {
    const changes = this.histories.get(conv).filter(({ type }) => type === "member");
    return 2 + changes.reduce((sum, { change }) => sum + (change === "joined" ? 1 : -1), 0);
  }

  /** Handle the next frame of the page. */
  handleFrame(socket) {
    const frame = socket?.outgoing.shift();
    if (frame?.type === "ping") socket.deliver({ type: "pong", heads: this.heads() });
    else if (frame?.type === "read") {
      this.read.set(frame.conv, Math.max(this.read.get(frame.conv), frame.seq));
      socket.deliver({ type: "read", conv: frame.conv, seq: frame.seq, user: ME });
    } else if (frame?.type === "send" || frame?.type === "edit") {
      const { type, cid, conv, text } = frame;
      const known = this.cids.get(cid);
      const seq = known ?? this.histories.get(conv).length + 1;
      this.cids.set(cid, seq);
      socket.deliver({ type: "ack", cid, conv, seq, at: 0 });
      if (known) return;
      if (type === "send") this.post(conv, ME, text);
      else this.edit(conv, this.histories.get(conv)[frame.seq - 1], text);
    }
  }
}

const { Outbox } = await import("../../../capstone_chat/static/js/realtime/outbox.js");
const { Store } = await import("../../../capstone_chat/static/js/conversations/store.js");
const { Sync } = await import("../../../capstone_chat/static/js/realtime/sync.js");

/** @param {{sizes: number[], steps: [string, number, number][]}} scenario */
async function play({ sizes, steps }) {
  timers = [];
  world = new World(sizes);
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  let sent = 0;
  const store = new Store();
  const outbox = new Outbox(storage, "outbox", () => `cid ${++sent}`);
  const sync = new Sync(store, outbox, "ws://chat/ws");
  sync.start();

  const conversation = (/** @type {number} */ n) => store.conversations.get((n % sizes.length) + 1);
  /** Frames in flight; none while a hello is the first of them, since nothing overtakes it. */
  const flying = () => {
    const { incoming = [] } = world.socket ?? {};
    return incoming[0]?.startsWith('{"type":"hello"') ? [] : incoming;
  };
  const take = (/** @type {any[]} */ list, /** @type {number} */ n) => list.splice(n % list.length, 1)[0];
  const receive = (/** @type {string | undefined} */ data) => data && world.socket?.onmessage?.({ data });
  const doing = {
    // Others write, delete and change something.
    post: (a, b) => world.post((a % sizes.length) + 1, OTHER, `new ${b}`),
    flood: (a) => { for (let i = 0; i < 510; i++) world.post((a % sizes.length) + 1, OTHER, `flood ${i}`); },
    remove: (a, b) => world.remove((a % sizes.length) + 1, b),
    edit: (a, b) => world.edit((a % sizes.length) + 1, world.choose((a % sizes.length) + 1, b, OTHER), `edited ${world.clock}`),
    answer_to: (a, b) => world.answer((a % sizes.length) + 1, b),
    join: (a, b) => world.append((a % sizes.length) + 1, {
      type: "member", change: b % 2 ? "joined" : "left",
      from: { id: 10 + b, nickname: "x" }, user: { id: 10 + b, nickname: "x" },
    }),
    title: (a, b) => world.append((a % sizes.length) + 1, { type: "title", text: `title ${b}`, from: { id: OTHER, nickname: "2" } }),
    // Actions of the reader.
    say: (a) => conversation(a) && sync.send(conversation(a), `mine ${sent}`),
    correct: (a, b) => {
      const message = world.choose((a % sizes.length) + 1, b, ME);
      if (conversation(a) && message) sync.send(conversation(a), `corrected ${sent}`, { edit: message.seq });
    },
    open: (a) => conversation(a) && void sync.history.open(conversation(a)),
    more: () => void sync.loadMore(),
    older: (a) => conversation(a) && void sync.history.loadOlder(conversation(a)),
    newer: (a) => conversation(a) && void sync.history.loadNewer(conversation(a)),
    jump: (a, b) => {
      const there = conversation(a);
      if (there?.timeline.opened) void sync.history.loadAround(there, 1 + (b % Math.max(1, there.timeline.head)));
    },
    read: (a, b) => {
      const there = conversation(a);
      if (there?.timeline.opened) sync.markRead(there, Math.min(there.timeline.last, b));
    },
    // The reader reads in another browser, and the event is lost.
    elsewhere: (a) => world.read.set((a % sizes.length) + 1, world.histories.get((a % sizes.length) + 1).length),
    // Check that this conversation is up to date without another ping.
    known: (a) => {
      const conv = (a % sizes.length) + 1;
      const { head, read } = store.conversations.get(conv)?.timeline ?? {};
      const truth = [world.histories.get(conv).length, world.read.get(conv)];
      if (head !== truth[0] || read !== truth[1]) unknown.push({ what: "not known", conv, found: [head, read], truth });
    },
    // The network delivers, loses, duplicates and reorders.
    up: () => world.handleFrame(world.socket),
    down: () => receive(world.socket?.incoming.shift()),
    later: (a) => flying().length && receive(take(flying(), a)),
    twice: (a) => receive(flying()[a % flying().length]),
    lose: (a) => {
      // An event of another process may be lost. An ack is lost only together with its connection.
      const events = flying().filter((frame) => !frame.startsWith('{"type":"ack"'));
      if (events.length) flying().splice(flying().indexOf(take(events, a)), 1);
    },
    answer: (a) => world.requests.length && take(world.requests, a).answer(),
    fail: (a) => world.requests.length && take(world.requests, a).fail(),
    cut: () => world.socket?.close(),
    tick,
  };

  const unknown = [];
  for (const [name, a, b] of steps) {
    doing[name](a, b);
    await flush();
  }
  // The network works again: everything arrives in order, and a last ping is answered.
  for (let round = 0; round < 600; round++) {
    while (world.requests.length || world.socket?.outgoing.length || world.socket?.incoming.length) {
      for (const request of world.requests.splice(0)) request.answer();
      await flush();
      while (world.socket?.outgoing.length) world.handleFrame(world.socket);
      while (world.socket?.incoming.length) receive(world.socket.incoming.shift());
      await flush();
    }
    const behind = [...store.conversations.values()].find(({ timeline }) => !timeline.following || timeline.older);
    if (round > ROUNDS && !behind && store.next) {
      // Conversations with new events are loaded by now; request the others.
      for (const { id } of world.list(Infinity).conversations) if (!store.conversations.has(id)) return [{ what: "not listed", conv: id }];
      void sync.loadMore();
    } else if (round > ROUNDS && !behind) break;
    if (round > ROUNDS && behind && !behind.timeline.opened) void sync.history.open(behind);
    else if (round > ROUNDS && behind?.timeline.newer) void sync.history.loadNewer(behind);
    else if (round > ROUNDS && behind) void sync.history.loadOlder(behind);
    else tick();
    await flush();
  }
  return [...unknown, ...verdict(store, outbox, sent)];
}

/** @param {InstanceType<typeof Store>} store @param {InstanceType<typeof Outbox>} outbox @param {number} sent */
function verdict(store, outbox, sent) {
  const wrong = [];
  const same = (what, found, truth) => {
    if (JSON.stringify(found) !== JSON.stringify(truth)) wrong.push({ what, found, truth });
  };
  for (const [conv, truth] of world.histories) {
    const found = store.conversations.get(conv);
    if (!found) { wrong.push({ what: "missing", conv }); continue; }
    const { timeline } = found;
    // An edited message has the text; that of the event itself depends on when it came.
    const brief = (event) => event && [event.seq, event.type, event.type === "edited" ? event.target : event.text];
    const shown = [];
    for (let seq = timeline.first; seq <= timeline.last; seq++) shown.push(brief(timeline.at(seq)));
    same(`history ${conv}`, shown, truth.map(brief));
    for (const event of truth.filter(({ reply }) => reply)) {
      same(`quote ${conv}`, timeline.quoteOf(timeline.at(event.seq)).text, world.quote(conv, event.reply.seq).text);
    }
    same(`latest ${conv}`, brief(timeline.latest), brief(truth.findLast(isListed)));
    same(`title ${conv}`, found.title, world.title(conv));
    same(`members ${conv}`, found.members, world.members(conv));
    same(`read ${conv}`, timeline.read, world.read.get(conv));
    if (truth.length <= COUNTED) same(`unread ${conv}`, timeline.unread, world.unread(conv));
    const mine = truth.filter(({ from, type }) => type === "message" && from.id === ME).map(({ text }) => text);
    same(`mine once ${conv}`, mine.length, new Set(mine).size);
  }
  same("unsent", outbox.unsent.map(({ text }) => text), []);
  same("edits", [...outbox.edits(1).values()].filter(({ state }) => state !== "acked"), []);
  same("all stored", world.cids.size, sent);
  return wrong;
}

for await (const line of createInterface({ input: process.stdin })) {
  let wrong;
  try {
    wrong = await play(JSON.parse(line));
  } catch (error) {
    wrong = [{ what: "exception", found: String(error?.stack ?? error) }];
  }
  process.stdout.write(`${JSON.stringify(wrong)}\n`);
}
