// Dialogs lie in templates and are on the page only while they are open.
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
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // A click beside it.
  document.body.append(dialog);
  dialog.showModal();
  opened = dialog;
  return dialog;
}

export const closeDialog = () => opened?.close();

// A link or button with data-open opens that dialog; with data-press it clicks another element.
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
