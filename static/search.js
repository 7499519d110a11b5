// The search box. Without scripts it is a form; with them it completes, remembers, and lets results follow.
import { ask } from "./ask.js";
import { combobox } from "./combobox.js";
import { keep, matching, recent, without, withRecent } from "./kept.js";
import { keys, walk } from "./keys.js";

const FEW = 3; // searches of before that stand beside completions

function start(box) {
  const form = box.form;
  form.append(form.querySelector("template").content);
  const [said, found] = form.querySelectorAll("[role=status]");
  const remember = () => keep("recent", withRecent(recent(), box.value));

  function near(typed) {
    const list = matching(recent(), typed).slice(0, typed ? FEW : undefined);
    const options = list.map((text) => ({ kind: "recent", text }));
    return list.length && !typed ? [...options, { kind: "forget" }] : options;
  }

  async function far(text, signal) {
    const answer = await ask(`/api/completions?${new URLSearchParams({ q: text })}`, signal);
    const body = await answer?.json().catch(() => null);
    return body && { options: body.completions, tip: body.tip };
  }

  function choose({ kind, text, url }) {
    if (kind === "forget") return keep("recent", []);
    if (kind === "title") return location.assign(url);
    box.value = text;
    if (kind === "operator" || kind === "value") return box.dispatchEvent(new InputEvent("input", { bubbles: true }));
    return form.requestSubmit();
  }

  const discard = ({ text }) => keep("recent", without(recent(), text));
  const below = () => walk(box, 1);
  const close = combobox(box, form.querySelector(".completions"), said, { near, far, choose, discard, below });
  form.addEventListener("submit", () => {
    remember();
    close();
    if (matchMedia("(pointer: coarse)").matches) box.blur(); // the keyboard goes away from over the results
  });
  keys(box);
  if ("live" in form.dataset && !navigator.connection?.saveData) follow(form, box, found);
}

async function follow(form, box, found) {
  let isTyped = false; // before the script is here
  box.addEventListener("input", (event) => (isTyped = !event.isComposing));
  box.addEventListener("compositionend", () => (isTyped = true));
  const { live } = await import("./live.js");
  live(form, box, found, isTyped);
}

const box = document.getElementById("q");
if (box) start(box);
if (document.getElementById("tips")) import("./tips.js").then(({ offerKeys }) => offerKeys());
// The tips open where one is, unless they are wanted as a page.
document.querySelector(".to-tips a")?.addEventListener("click", async (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const { href } = event.currentTarget;
  (await import("./tips.js")).open(href);
});
