// Results as one types: the very page that a submit would lead to, fetched and put in the place of this one.
//
// A search that is refused is shown as what it is; where no answer comes, the list is marked as one of other words.
//
// History has one entry for each search that was settled, by Enter or by leaving the box, as it has without scripts.
import { ask, pause } from "./ask.js";

const WAIT = 200; // milliseconds without a key
const LONGER = 600; // more, before half a word that finds nothing takes the results away
const MOST = 20; // pages that Back finds at once

const bare = () => location.href.split("#")[0];

export const addressOf = (form) => `${form.action}?${new URLSearchParams(new FormData(form))}`;

// Whether more is to come before a search says what is meant: the value of a filter, what a sign stands before.
export const isUnfinished = (text) => /\w:(?:"[^"]*|[^\s"]*)$|(?:[(|-]|\b(?:AND|OR|NOT))\s*$/.test(text);

function pageOf(page) {
  const beside = [...page.head.querySelectorAll("link[rel=prev], link[rel=next]")].map((link) => link.outerHTML).join("");
  return { title: page.title, main: page.querySelector("main").innerHTML, beside };
}

// The fields whose values are a reader's own: what is not applied yet is not thrown away with the page around it.
const changed = (main) =>
  [...main.querySelectorAll("input[name]:not([type=hidden])")].filter(
    (field) => field.value !== field.defaultValue || field.validity.badInput || field === document.activeElement,
  );

function putBack(fields, main, focused) {
  for (const field of fields) main.querySelector(`input[name="${field.name}"]:not([type=hidden])`)?.replaceWith(field);
  focused?.focus({ preventScroll: true });
}

export function live(form, box, status, isTyped) {
  const main = document.querySelector("main");
  const pages = new Map(); // as they came: scripts have had a hand in the one that is here
  let shown = bare();
  let unsettled = false; // whether the entry in the history is of what is still being typed
  let timer;
  let asking;

  function stop() {
    clearTimeout(timer);
    asking?.abort();
    main.removeAttribute("aria-busy");
  }

  async function fetched(url) {
    stop();
    const { signal } = (asking = new AbortController());
    main.ariaBusy = true;
    const answer = await ask(url, signal, { refused: true });
    const html = await answer?.text().catch(() => null);
    if (signal.aborted) return undefined;
    main.removeAttribute("aria-busy");
    return html ? pageOf(new DOMParser().parseFromString(html, "text/html")) : null;
  }

  function show(url, page) {
    shown = url;
    pages.delete(url);
    pages.set(url, page);
    if (pages.size > MOST) pages.delete(pages.keys().next().value);
    document.title = page.title;
    document.head.querySelectorAll("link[rel=prev], link[rel=next]").forEach((link) => link.remove());
    document.head.insertAdjacentHTML("beforeend", page.beside);
    main.innerHTML = page.main;
    status.textContent = main.querySelector(".found, .message h1")?.textContent ?? "";
    main.dispatchEvent(new Event("refreshed", { bubbles: true })); // for whatever else has a hand in the results
  }

  function enter(url, page) {
    if (unsettled) history.replaceState(null, "", url);
    else {
      history.replaceState({ y: scrollY }, "");
      history.pushState(null, "", url);
    }
    unsettled = document.activeElement === box;
    const fields = changed(main);
    const focused = fields.find((field) => field === document.activeElement);
    const { open } = main.querySelector(".narrow") ?? {};
    show(url, page);
    putBack(fields, main, focused);
    if (open) main.querySelector(".narrow")?.setAttribute("open", "");
  }

  async function refresh() {
    const url = addressOf(form);
    if (url === shown) return main.querySelector(".stale")?.remove();
    if (!box.value.trim() || isUnfinished(box.value)) return;
    const page = await fetched(url);
    if (page === undefined) return;
    if (page === null) return mark();
    if (page.main.includes('class="hit"')) enter(url, page);
    else timer = setTimeout(enter, LONGER, url, page);
  }

  // The list stays where no answer comes, and says whose it is. A busy server is asked again when it said.
  function mark() {
    if (pause()) timer = setTimeout(refresh, pause());
    if (main.querySelector(".stale") || !main.querySelector(".found")) return;
    const query = new URL(shown).searchParams.get("q")?.trim();
    const text = query ? status.dataset.still.replace("{}", () => query) : status.dataset.before;
    main.prepend(Object.assign(document.createElement("p"), { className: "stale", textContent: text }));
    status.textContent = text;
  }

  async function settle(url) {
    const page = url === shown ? null : await fetched(url);
    if (page === undefined) return;
    if (page) enter(url, page);
    else if (url !== shown) return location[unsettled ? "replace" : "assign"](url);
    unsettled = false;
  }

  function typed() {
    stop();
    timer = setTimeout(refresh, WAIT);
  }

  box.addEventListener("input", (event) => event.isComposing || typed());
  box.addEventListener("compositionstart", stop);
  box.addEventListener("compositionend", typed);
  box.addEventListener("blur", () => (unsettled &&= addressOf(form) !== shown)); // what is on its way settles then
  addEventListener("online", () => main.querySelector(".stale") && typed());
  form.addEventListener("submit", (event) => {
    const url = addressOf(form);
    if (url === shown && !unsettled) return; // the same again: the browser's own business
    event.preventDefault();
    stop();
    settle(url);
  });
  addEventListener("popstate", async () => {
    if (bare() === shown) return; // within the page
    stop();
    unsettled = false;
    const url = bare();
    const known = pages.get(url);
    const page = known ?? (await fetched(url));
    if (page === undefined || bare() !== url) return; // gone on meanwhile
    if (page === null) return location.reload();
    box.value = new URLSearchParams(location.search).get("q") ?? "";
    show(url, page);
    if (!known) scrollTo(0, history.state?.y ?? 0);
  });
  if (isTyped) typed(); // before this was here
}
