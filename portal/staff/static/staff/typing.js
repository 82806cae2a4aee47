// The form of a patient, whose panel of possible duplicates the server fills while the user types.
const form = document.querySelector("form[data-save-key]");

// Enter in the panel chooses a patient, where in another field it saves the form.
function chooseOnEnter(event) {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !event.target.matches("#similar input")) return;
  event.preventDefault();
  if (event.target.type === "radio") event.target.click();
}

// While the form is being sent the panel asks nothing: it would find the patient being registered.
function dropRequestWhileSending(event) {
  if (form.dataset.isSent) event.preventDefault();
}

// A form that was restored after a sign-in carries the token of a panel that this page has not shown.
function clearTokenOfHiddenPanel(event) {
  if (form.querySelector("#similar") && !form.querySelector("#similar li")) event.detail.parameters.shown = "";
}

// After the session's end, or a sign-in in another tab, the panel stays as it is: the page says more.
function ignoreErrorStatus(event) {
  event.detail.isError = false;
}

form.addEventListener("keydown", chooseOnEnter);
form.addEventListener("htmx:beforeSwap", ignoreErrorStatus);
form.addEventListener("htmx:beforeRequest", dropRequestWhileSending);
form.addEventListener("htmx:configRequest", clearTokenOfHiddenPanel);
