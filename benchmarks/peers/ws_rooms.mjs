// ws, on Node: `send` to each member.

import { parseArgs } from "node:util";
import { WebSocket, WebSocketServer } from "ws";

const { values } = parseArgs({ options: { port: { type: "string", default: "8888" } } });
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(values.port) });
const rooms = new Map();

server.on("connection", (socket, request) => {
  const name = request.url;
  if (!rooms.has(name)) rooms.set(name, new Set());
  const room = rooms.get(name);
  room.add(socket);
  socket.on("message", (data) => {
    for (const member of room) {
      if (member.readyState === WebSocket.OPEN) member.send(data, { binary: false });
    }
  });
  socket.on("error", () => {}); // close follows
  socket.on("close", () => room.delete(socket));
});
server.on("listening", () => console.log(`Open http://127.0.0.1:${server.address().port}`));
