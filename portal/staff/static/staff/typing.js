// A form that asks the server while one types; Enter in the panel of those who may be registered already never saves.
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
  if (form.querySelector("#similar") && !form.querySelector("#similar li")) event.detail.parameters.shown = "";
}

// A session that ended, or another one begun in the next tab: the page itself says so, and the panel only stays as it is.
function takeNoOffence(event) {
  event.detail.isError = false;
}

form.addEventListener("keydown", choose);
form.addEventListener("htmx:beforeSwap", takeNoOffence);
form.addEventListener("htmx:beforeRequest", stayQuiet);
form.addEventListener("htmx:configRequest", tellWhoIsShown);
