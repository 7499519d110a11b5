// An editable combobox with list autocomplete, chosen by hand (WAI-ARIA 1.2): focus stays in the box.
//
// `near(text)` gives options at once, `far(text, signal)` promises { options, tip } or null; `choose` and `discard` take
// an option, { kind, text, label, note }; `below` goes on where the arrow leads down from a closed list, if it can.
const WAIT = 120; // milliseconds without a key before the server is asked

// The place after `by` steps among `count` options and the box itself, which is -1.
export const stepped = (at, by, count) => ((at + 1 + by + count + 1) % (count + 1)) - 1;

export function combobox(box, popup, status, { near, far, choose, discard, below }) {
  const list = popup.querySelector("[role=listbox]");
  const tip = popup.querySelector(".tip");
  const [plain, ...others] = [...list.children];
  let options = [];
  let at = -1;
  let timer;
  let asking;

  list.replaceChildren();
  box.role = "combobox";
  box.ariaAutoComplete = "list";
  box.setAttribute("aria-controls", list.id);
  close();

  function drawn({ kind, text, label, note }, number) {
    const item = (others.find((each) => each.className === kind) ?? plain).cloneNode(true);
    item.id = `${list.id}-${number}`;
    if (text) item.querySelector(".text").textContent = label ?? text;
    if (note) item.querySelector(".note").textContent = note;
    return item;
  }

  function show(found, hint) {
    const active = options[at]?.text;
    options = found;
    list.replaceChildren(...found.map(drawn));
    tip.hidden = !hint;
    if (hint) ["sign", "meaning"].forEach((part, place) => (tip.children[place].textContent = hint[part]));
    popup.hidden = !found.length && !hint;
    list.hidden = !found.length;
    box.ariaExpanded = found.length > 0;
    const counted = found.length ? status.dataset.count.replace("{}", found.length) : "";
    status.textContent = [counted, hint?.meaning].filter(Boolean).join(". ");
    activate(options[at]?.text === active ? at : -1);
  }

  function activate(number) {
    if (list.children[at]) list.children[at].ariaSelected = false;
    at = number;
    const item = list.children[at];
    if (!item) return box.removeAttribute("aria-activedescendant");
    item.ariaSelected = true;
    item.scrollIntoView({ block: "nearest" });
    return box.setAttribute("aria-activedescendant", item.id);
  }

  function stop() {
    clearTimeout(timer);
    asking?.abort();
  }

  function close() {
    stop();
    show([]);
  }

  function update() {
    stop();
    activate(-1);
    const text = box.value.slice(0, box.selectionEnd);
    const rest = box.value.slice(box.selectionEnd);
    if (!text.trim() || /^\S/.test(rest)) return show(near(box.value));
    if (popup.hidden) show(near(box.value));
    timer = setTimeout(async () => {
      const { signal } = (asking = new AbortController());
      const answer = await far(text, signal);
      if (signal.aborted) return;
      const completed = (answer?.options ?? []).map((option) => ({ ...option, text: option.text + rest }));
      show([...near(box.value), ...completed], answer?.tip);
    }, WAIT);
  }

  function take(option) {
    close();
    choose(option);
  }

  function drop(option) {
    discard(option);
    update();
  }

  const isOpen = () => options.length > 0;
  const keys = {
    ArrowDown(event) {
      if (isOpen() && !event.altKey) return activate(stepped(at, 1, options.length));
      if (isOpen() || (!event.altKey && below())) return undefined;
      return update();
    },
    ArrowUp(event) {
      if (event.altKey) return close();
      return isOpen() && activate(stepped(at, -1, options.length));
    },
    PageDown: () => isOpen() && activate(options.length - 1),
    PageUp: () => isOpen() && activate(0),
    Enter: () => (options[at] ? take(options[at]) : false),
    Delete: () => (options[at]?.kind === "recent" ? drop(options[at]) : false),
    Escape() {
      if (!popup.hidden) return close();
      if (!box.value) return false;
      box.value = "";
      return box.dispatchEvent(new InputEvent("input", { bubbles: true }));
    },
  };

  box.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey) return;
    if (/^(Home|End|Arrow(Left|Right))$/.test(event.key)) activate(-1); // in the text
    if (event.key in keys && keys[event.key](event) !== false) event.preventDefault();
  });
  box.addEventListener("input", (event) => event.isComposing || update());
  box.addEventListener("compositionstart", close);
  box.addEventListener("compositionend", update);
  box.addEventListener("focus", () => box.value || update());
  box.addEventListener("click", () => box.value || update());
  box.addEventListener("blur", close);
  popup.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
  popup.addEventListener("click", (event) => {
    const option = options[[...list.children].indexOf(event.target.closest("li"))];
    if (option) (event.target.matches(".cross") ? drop : take)(option);
  });
  return close;
}
