// Keys that lead to the search box and through the results. Single ones can be switched off (WCAG 2.1.4).
import { kept } from "./kept.js";

const FIELDS = "input, textarea, select, [contenteditable]";
export const areOn = () => kept("keys", true) === true;

// Move the focus by so many results, from the box to the first and back; return whether there was where to go.
export function walk(box, by) {
  const links = [...document.querySelectorAll(".hit h2 a")];
  const at = links.indexOf(document.activeElement);
  const target = at + by < 0 ? at === 0 && box : links[at + by];
  target?.focus?.();
  return Boolean(target);
}

export function keys(box) {
  const single = { "/": () => to(box), j: () => walk(box, 1), k: () => walk(null, -1) }; // in the box the next k would be typed
  const arrows = { ArrowDown: 1, ArrowUp: -1 };
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (key.toLowerCase() !== "k" || event.shiftKey) return;
      to(box);
    } else if (target.closest(FIELDS) || document.querySelector("dialog[open]")) return;
    else if (arrows[key]) {
      if (!target.matches(".hit h2 a") || !walk(box, arrows[key])) return;
    } else if (!(key in single) || !areOn() || single[key]() === false) return;
    event.preventDefault();
  });
}

function to(box) {
  document.querySelector("dialog[open]")?.close();
  box.focus();
  box.select();
}
