// Ctrl+K or ⌘K moves to the search box. A key with a modifier needs no switch to turn it off (WCAG 2.1.4).
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  const box = document.getElementById("q");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});
