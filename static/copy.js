// A button after whatever can be copied. Without a script there is none, and the text can be selected.
// Where the clipboard is closed, as on a page without TLS, the button selects the text instead.
import { enhance } from "./enhance.js";

const AGAIN = 2000; // milliseconds until the button offers the same again

enhance(() => document.querySelectorAll("[data-copy]").forEach(offer));

function offer(text) {
  const { copy, copied, select } = text.dataset;
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: copy });
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    button.textContent = (await isCopied(text)) ? copied : select;
    setTimeout(() => { button.textContent = copy; }, AGAIN);
  });
  text.after(button);
}

async function isCopied(text) {
  try {
    await navigator.clipboard.writeText(text.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(text);
    return false;
  }
}
