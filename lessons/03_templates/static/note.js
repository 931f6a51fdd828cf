for (const note of document.querySelectorAll(".note")) {
  note.addEventListener("click", () => note.remove());
}
