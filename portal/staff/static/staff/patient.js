// Copies the MRN and prints the label, on a patient's pages. The buttons show only with scripts.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // Without a permission or without HTTPS there is no clipboard.
    const box = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await copy(button.dataset.copy);
    button.nextElementSibling.textContent = "Copied";
    button.focus();
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
