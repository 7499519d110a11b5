// A button that copies a citation. Where the clipboard is closed, as on a page without TLS, the text is selected instead.
for (const button of document.querySelectorAll("button[data-copy]")) {
  const text = document.getElementById(button.dataset.copy);
  const said = button.parentElement.querySelector("[role=status]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      said.textContent = button.dataset.copied;
    } catch {
      getSelection().selectAllChildren(text);
      said.textContent = button.dataset.select;
    }
  });
}
