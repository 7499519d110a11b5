// The results page: j and k go through the results, long lists of filters are searched by typing, a citation is copied.

// Only while the focus is among the results, so that the keys mean nothing elsewhere (WCAG 2.1.4).
document.querySelector(".list")?.addEventListener("keydown", (event) => {
  const step = { j: 1, k: -1 }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  const titles = [...document.querySelectorAll(".hit h2 a")];
  const here = titles.findIndex((title) => title.closest(".hit").contains(event.target));
  const next = titles[here + step] ?? (here < 0 ? titles[0] : null);
  if (!next) return;
  event.preventDefault();
  next.focus();
});

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

for (const rest of document.querySelectorAll("details[data-find]")) {
  const box = Object.assign(document.createElement("input"), { type: "search", placeholder: rest.dataset.find });
  box.setAttribute("aria-label", rest.dataset.find);
  const none = Object.assign(document.createElement("p"), { className: "without", role: "status" });
  rest.querySelector("summary").after(box, none);
  const items = [...rest.querySelectorAll("li")];
  const texts = items.map((item) => plain(item.querySelector(".value").textContent));
  box.addEventListener("input", () => {
    const sought = plain(box.value.trim());
    items.forEach((item, at) => (item.hidden = !texts[at].includes(sought)));
    none.textContent = items.every((item) => item.hidden) ? rest.dataset.none : "";
  });
}

for (const list of document.querySelectorAll("dl[data-copy]")) {
  for (const part of list.querySelectorAll("dd")) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: list.dataset.copy });
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      await copy(part.firstElementChild);
      button.textContent = list.dataset.copied;
    });
    part.append(button);
  }
}

async function copy(element) {
  if (navigator.clipboard) return navigator.clipboard.writeText(element.textContent);
  getSelection().selectAllChildren(element); // a page that came without TLS has no clipboard of that kind
  document.execCommand("copy");
}
