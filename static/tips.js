// The search tips as a dialog, and among them the switch for single keys.
import { ask } from "./ask.js";
import { areOn } from "./keys.js";
import { keep } from "./kept.js";

export function offerKeys() {
  const tips = document.getElementById("tips");
  tips.querySelector(".keys").hidden = false;
  const choice = tips.querySelector("[data-keys]");
  choice.checked = areOn();
  choice.addEventListener("change", () => keep("keys", choice.checked));
}

export async function open(url) {
  const dialog = document.querySelector("dialog.tips-here") ?? (await fetched(url));
  if (dialog) dialog.showModal();
  else location.assign(url);
}

async function fetched(url) {
  if (document.getElementById("tips")) return null;
  const html = await (await ask(url))?.text();
  const tips = html && new DOMParser().parseFromString(html, "text/html").getElementById("tips");
  if (!tips) return null;
  const dialog = document.createElement("dialog");
  dialog.className = "tips-here";
  dialog.setAttribute("aria-labelledby", "tips-name");
  dialog.append(tips);
  const end = tips.querySelector("[data-close]");
  end.hidden = false;
  end.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  offerKeys();
  return dialog;
}
