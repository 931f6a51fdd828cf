// ws and better-sqlite3, on Node: each message is stored before it is sent to each member.
// One commit a message, with synchronous=FULL and a prepared statement.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import { WebSocket, WebSocketServer } from "ws";

const { values } = parseArgs({ options: { port: { type: "string", default: "8888" } } });
const folder = mkdtempSync(join(tmpdir(), "ws-sqlite-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
process.on("SIGTERM", () => process.exit());
const database = new Database(join(folder, "messages.db"));
database.pragma("journal_mode = WAL");
database.pragma("synchronous = FULL");
database.exec(
  `CREATE TABLE messages (id INTEGER PRIMARY KEY, room TEXT NOT NULL, at INTEGER NOT NULL,
   text TEXT NOT NULL)`,
);
const insert = database.prepare("INSERT INTO messages (room, at, text) VALUES (?, ?, ?)");
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(values.port) });
const rooms = new Map();

server.on("connection", (socket, request) => {
  const name = request.url;
  if (!rooms.has(name)) rooms.set(name, new Set());
  const room = rooms.get(name);
  room.add(socket);
  socket.on("message", (data) => {
    insert.run(name, Date.now(), data.toString());
    for (const member of room) {
      if (member.readyState === WebSocket.OPEN) member.send(data, { binary: false });
    }
  });
  socket.on("error", () => {}); // close follows
  socket.on("close", () => room.delete(socket));
});
server.on("listening", () => console.log(`Open http://127.0.0.1:${server.address().port}`));
