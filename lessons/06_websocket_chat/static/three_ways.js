// Shows the messages of one room, which arrive in three ways.
function show(id, { number, text }) {
  const line = document.createElement("p");
  line.textContent = `${number}: ${text}`;
  document.getElementById(id).append(line);
}

const scheme = location.protocol === "https:" ? "wss:" : "ws:";
const socket = new WebSocket(`${scheme}//${location.host}/socket`);
socket.onmessage = ({ data }) => show("socket", JSON.parse(data));

// # region events
const events = new EventSource("/events"); // connects again by itself
events.onmessage = ({ data }) => show("events", JSON.parse(data));
// # endregion

// # region poll
async function poll(seen) {
  try {
    const response = await fetch(`/poll?after=${seen}`);
    const { messages } = await response.json();
    for (const message of messages) {
      show("poll", message);
      seen = message.number;
    }
    poll(seen); // ask again at once
  } catch {
    setTimeout(poll, 1000, seen); // the server is away: ask again later
  }
}
// # endregion
poll(0);

document.querySelector("#say").addEventListener("submit", (event) => {
  event.preventDefault();
  fetch("/say", { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
});
