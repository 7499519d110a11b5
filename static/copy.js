// A button beside each piece of code copies it. Without a script there is no button, and the code can be selected.
for (const block of document.querySelectorAll(".code")) {
  if (!navigator.clipboard) break; // only where the page came by https, or from this machine
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = block.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = block.dataset.copied;
    setTimeout(() => { button.textContent = block.dataset.copy; }, 2000);
  });
  block.append(button);
}
