// The histogram of dates: draw over bars to zoom in, or choose them by keyboard. Without this file each bar is a link still.
// A stretch of time begins where its first bar's link does, and ends where its last bar's does.
import { enhance } from "./enhance.js";

enhance(() => {
  const drawing = document.querySelector("svg.histogram");
  if (drawing) choosable(drawing, [...drawing.querySelectorAll("a")], document.querySelector(".pointed"));
});

function choosable(drawing, bars, label) {
  const idle = matchMedia("(pointer: coarse)").matches ? label.textContent : drawing.dataset.hint; // a finger scrolls
  const names = bars.map((bar) => bar.querySelector("title").textContent.split(/: (?=[^:]*$)/));
  const counts = names.map(([, count]) => Number(count.replace(/\D/g, "")));
  let anchor = 0; // where a stretch was begun
  let head = 0; // where it has got to
  let drawn = false; // whether a pointer has drawn over more than one bar

  // One stop for the Tab key; to those who hear the page a list of which one chooses some.
  drawing.removeAttribute("aria-hidden");
  drawing.setAttribute("role", "listbox");
  drawing.setAttribute("aria-label", drawing.dataset.name);
  drawing.setAttribute("aria-multiselectable", "true");
  drawing.setAttribute("aria-orientation", "horizontal");
  bars.forEach((bar, at) => {
    bar.setAttribute("role", "option");
    bar.setAttribute("aria-label", names[at].join(": "));
    bar.setAttribute("tabindex", at ? -1 : 0);
    bar.querySelector("title").remove(); // it is said above the drawing, at once
  });
  label.textContent = idle;

  const ends = () => [Math.min(anchor, head), Math.max(anchor, head)];

  function choose(from, to) {
    [anchor, head] = [from, to];
    const [first, last] = ends();
    bars.forEach((bar, at) => bar.setAttribute("aria-selected", first !== last && first <= at && at <= last));
    say(first, last);
  }

  function say(first, last) {
    if (first === last) label.textContent = names[first].join(": ");
    else {
      const sum = counts.slice(first, last + 1).reduce((all, one) => all + one, 0);
      const words = { first: names[first][0], last: names[last][0], count: sum.toLocaleString(document.documentElement.lang) };
      label.textContent = drawing.dataset.span.replace(/{(\w+)}/g, (_, name) => words[name]);
    }
  }

  function clear() {
    bars.forEach((bar) => bar.setAttribute("aria-selected", false));
    label.textContent = idle;
  }

  function zoom() {
    const [first, last] = ends().map((at) => new URL(bars[at].href.baseVal, location));
    if (last.searchParams.has("to")) first.searchParams.set("to", last.searchParams.get("to"));
    location.assign(first);
  }

  // The bar nearest to a place of the pointer: there may be none in an empty stretch.
  function nearest(x) {
    const far = (bar) => {
      const box = bar.querySelector(".slot").getBoundingClientRect();
      return Math.abs(x - (box.left + box.right) / 2);
    };
    return bars.reduce((best, bar, at) => (far(bar) < far(bars[best]) ? at : best), 0);
  }

  drawing.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return;
    const begun = event.clientX;
    const from = nearest(begun);
    drawn = false;
    const move = (moved) => {
      if (!drawn && Math.abs(moved.clientX - begun) < 6) return;
      drawn = true;
      drawing.setPointerCapture(moved.pointerId);
      choose(from, nearest(moved.clientX));
    };
    const stop = (stopped) => {
      drawing.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) drawing.removeEventListener(name, stop);
      if (stopped.type === "pointerup" && drawn) zoom();
      else if (drawn) clear();
    };
    drawing.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) drawing.addEventListener(name, stop);
  });
  drawing.addEventListener("dragstart", (event) => event.preventDefault()); // a link would be carried off
  drawing.addEventListener("click", (event) => drawn && event.preventDefault());
  drawing.addEventListener("pointerover", (event) => {
    const at = bars.indexOf(event.target.closest("a"));
    if (at >= 0 && !event.buttons) say(at, at);
  });
  drawing.addEventListener("pointerleave", (event) => event.buttons || drawing.contains(document.activeElement) || clear());

  // Listened for around the drawing: one that listens for focus takes it.
  const plot = drawing.parentElement;
  plot.addEventListener("focusin", (event) => {
    if (anchor === head) choose(bars.indexOf(event.target), bars.indexOf(event.target));
  });
  plot.addEventListener("focusout", (event) => drawing.contains(event.relatedTarget) || clear());
  plot.addEventListener("keydown", (event) => {
    const at = bars.indexOf(document.activeElement);
    const ahead = document.dir === "rtl" ? -1 : 1; // the drawing is mirrored there
    const to = { ArrowLeft: head - ahead, ArrowRight: head + ahead, Home: 0, End: bars.length - 1 }[event.key];
    if (to !== undefined) {
      const next = Math.max(0, Math.min(bars.length - 1, to));
      choose(event.shiftKey ? anchor : next, next);
      bars[at].setAttribute("tabindex", -1);
      bars[next].setAttribute("tabindex", 0);
      bars[next].focus();
    } else if (event.key === "Enter" || event.key === " ") zoom();
    else if (event.key === "Escape") choose(head, head);
    else return;
    event.preventDefault();
  });
}
