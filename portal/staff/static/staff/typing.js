// The panel of those who may be registered already: Enter in it never saves, and it does not ask when nobody waits.
const form = document.querySelector("form[data-save-key]");

// In the panel Enter would press Save, as in every field; there it chooses.
function choose(event) {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !event.target.matches("#similar input")) return;
  event.preventDefault();
  if (event.target.type === "radio") event.target.click();
}

// Once the form is on its way nobody waits for the panel, which would find the very patient who is being registered.
function stayQuiet(event) {
  if (form.dataset.isSent) event.preventDefault();
}

// Text that came back after signing in again brings the proof of a panel that this page has not shown.
function tellWhoIsShown(event) {
  if (!form.querySelector("#similar li")) event.detail.parameters.shown = "";
}

form.addEventListener("keydown", choose);
form.addEventListener("htmx:beforeRequest", stayQuiet);
form.addEventListener("htmx:configRequest", tellWhoIsShown);
