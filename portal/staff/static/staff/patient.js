// On a patient's pages: copy the record number, print the label. The buttons show where scripts run.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // No permission, or a page that is not served over HTTPS has no clipboard.
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
