// Long lists of filters are searched by typing.
import { enhance } from "./enhance.js";
import { folded } from "./kept.js";

enhance(() => document.querySelectorAll("details[data-find]").forEach(search));

function search(rest) {
  const box = Object.assign(document.createElement("input"), { type: "search", placeholder: rest.dataset.find });
  box.setAttribute("aria-label", rest.dataset.find);
  const none = Object.assign(document.createElement("p"), { className: "without", role: "status" });
  rest.querySelector("summary").after(box, none);
  const items = [...rest.querySelectorAll("li")];
  const texts = items.map((item) => folded(item.querySelector(".value").textContent));
  box.addEventListener("input", () => {
    const sought = folded(box.value);
    items.forEach((item, at) => (item.hidden = !texts[at].includes(sought)));
    none.textContent = items.every((item) => item.hidden) ? rest.dataset.none : "";
  });
}
