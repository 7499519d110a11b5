// What this browser remembers, and nobody else is told. Where it may not be kept, it lasts as long as the page.
const PREFIX = "backfile.";
const MOST = 10; // searches
const meanwhile = {};

export function kept(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return meanwhile[name] ?? otherwise;
  }
}

export function keep(name, value) {
  meanwhile[name] = value;
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch { /* as said above */ }
}

export const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();

export function recent() {
  const list = kept("recent", []);
  return Array.isArray(list) ? list.filter((text) => typeof text === "string") : [];
}

export function withRecent(list, text) {
  const others = without(list, text);
  return text.trim() ? [text.trim(), ...others].slice(0, MOST) : others;
}

export const without = (list, text) => list.filter((other) => folded(other) !== folded(text));

// Of these searches those that begin with what is typed, or a word of which does.
export function matching(list, typed) {
  const begun = folded(typed);
  return list.filter((text) => ` ${folded(text)}`.includes(` ${begun}`) && folded(text) !== begun);
}
