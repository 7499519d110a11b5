// The saved searches that this browser remembers: their links and names, in its own storage and nowhere else.

const KEY = "backfile-saved";

const remembered = () => {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter(({ path, name }) => /^\/saved\/[\w-]+$/.test(path) && typeof name === "string") : [];
  } catch {
    return []; // storage is off, or holds something else
  }
};

const remember = (list) => {
  try {
    localStorage.setItem(KEY, JSON.stringify(list));
  } catch {
    // storage is off or full: the link still works
  }
};

const without = (path) => remembered().filter((saved) => saved.path !== path);

const button = (text, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "plain";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
};

const place = document.querySelector("[data-remember]");
if (place) {
  const { remember: path, name, keep, forget } = place.dataset;
  const isKept = () => remembered().some((saved) => saved.path === path);
  const toggle = button("", () => {
    remember(isKept() ? without(path) : [{ path, name }, ...without(path)]);
    toggle.textContent = isKept() ? forget : keep;
  });
  if ("new" in place.dataset || isKept()) remember([{ path, name }, ...without(path)]); // its name may be new
  if ("new" in place.dataset) history.replaceState(null, "", path); // coming back here is not saving it again
  toggle.textContent = isKept() ? forget : keep;
  place.append(toggle);
}

const gone = document.querySelector("[data-forgotten]");
if (gone) remember(without(gone.dataset.forgotten));

const list = document.querySelector("[data-saved-list]");
if (list) {
  const show = () => {
    list.replaceChildren(...remembered().map(({ path, name }) => {
      const item = document.createElement("li");
      item.className = "hit";
      const heading = document.createElement("h2");
      const link = document.createElement("a");
      link.href = path;
      link.textContent = name;
      heading.append(link);
      const forget = button(list.dataset.forget, () => {
        remember(without(path));
        show();
      });
      forget.setAttribute("aria-label", `${list.dataset.forget}: ${name}`);
      item.append(heading, forget);
      return item;
    }));
    if (!list.children.length) {
      const none = document.createElement("li");
      none.className = "none";
      none.textContent = list.dataset.none;
      list.append(none);
    }
  };
  show();
}
