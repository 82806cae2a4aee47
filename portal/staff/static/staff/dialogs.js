// Dialogs lie in templates: nothing of them is on the page until they are opened, and nothing after they are closed.
let opened = null;

export function openDialog(name) {
  if (document.querySelector("dialog[open]")) return null;
  const dialog = document.getElementById(name).content.firstElementChild.cloneNode(true);
  const from = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    opened = null;
    from?.focus();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // Beside it.
  document.body.append(dialog);
  dialog.showModal();
  opened = dialog;
  return dialog;
}

export const closeDialog = () => opened?.close();

// A link or button with data-open opens that dialog; one with data-press presses another, wherever that one stands.
const OPENERS = { keys: () => openDialog("keys") };
export const opens = (name, open) => { OPENERS[name] = open; };

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  const presser = event.target.closest("[data-press]");
  if (event.ctrlKey || event.metaKey || event.shiftKey || !(opener || presser)) return;
  event.preventDefault();
  closeDialog();
  opener?.closest("details")?.removeAttribute("open");
  if (presser) document.querySelector(presser.dataset.press).click();
  else OPENERS[opener.dataset.open]();
});
