// The session's end: a warning two minutes before, "Stay signed in", and a form's text that is kept.
import { closeDialog } from "./dialogs.js";

const dialog = document.getElementById("session-end");
const left = dialog.querySelector("[data-left]");
const status = dialog.querySelector("[role=status]");
const { address, ended } = dialog.dataset;
const main = document.querySelector("main");
const WARN_MS = 120_000;
const WORK_MS = 240_000; // Typing renews the session, at most this often.
const SHARED_KEY = "session-ends"; // In localStorage, since all tabs share the session and its end.

let lastRenewal = Date.now(), isLeaving = false, isAsking = false;

const setEnd = (seconds) => localStorage.setItem(SHARED_KEY, String(Date.now() + seconds * 1000));

async function ask(method) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = method === "POST" ? { "X-CSRFToken": token } : { "X-Poll": "1" };
  const answer = await fetch(address, {
    method, headers, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(8000),
  });
  if (!answer.ok) throw new Error(answer.status);
  return (await answer.json()).seconds;
}

async function stay() {
  lastRenewal = Date.now();
  try {
    const seconds = await ask("POST");
    if (!seconds) return leave();
    setEnd(seconds);
  } catch {
    return; // Without a connection the warning stays, and the button can be pressed again.
  }
  dialog.close();
}

async function checkSession() {
  const rest = Number(localStorage.getItem(SHARED_KEY)) - Date.now();
  if (isLeaving) return;
  if (rest > WARN_MS) return dialog.open && dialog.close();
  if (rest > 0) return warn(rest);
  if (isAsking) return; // A request without an answer lasts longer than the second until the next look.
  isAsking = true;
  try {
    const seconds = await ask("GET");
    if (seconds > 0 && seconds * 1000 > rest + 1000) return setEnd(seconds);
  } catch {
    return waitCovered(); // Leaving now would lose the text.
  } finally {
    isAsking = false;
  }
  leave();
}

function warn(rest) {
  const words = rest > 60_000 ? "2 minutes" : `${Math.ceil(rest / 1000)} seconds`;
  left.textContent = rest > 60_000 ? `${Math.floor(rest / 60_000)} min ${Math.floor((rest % 60_000) / 1000)} s` : words;
  if (!dialog.open) {
    closeDialog();
    dialog.showModal();
  }
  // Screen readers get it at two minutes, at one, and near the end, not each second.
  const step = rest > 60_000 ? "2" : rest > 20_000 ? "1" : "0";
  if (status.dataset.step === step) return;
  status.dataset.step = step;
  status.textContent = step === "2" ? "" : `You will be signed out in ${words}.`;
}

// Without a connection the text stays here, and the dialog covers the screen of a shared PC.
function waitCovered() {
  dialog.classList.add("app-dialog--cover");
  dialog.querySelector("[data-words]").textContent =
    "Your session has ended, and there is no connection. What you typed is kept. "
    + "This page goes on as soon as the connection is back.";
  if (!dialog.open) dialog.showModal();
}

// The open form goes to the server, which keeps it for this user; nothing of it stays in the browser.
function leave() {
  if (isLeaving) return;
  isLeaving = true;
  const open = [...main.querySelectorAll("form[data-save-key]")].find(isTouched);
  const form = open || document.getElementById("sign-out");
  const query = new URLSearchParams({ page: location.pathname + location.search });
  if (open) query.set("action", new URL(open.action).pathname);
  form.querySelectorAll("[type=file]").forEach((file) => { file.disabled = true; });
  form.setAttribute("action", `${ended}?${query}`);
  HTMLFormElement.prototype.submit.call(form);
}

const isTouched = (form) =>
  form.querySelector(".nhsuk-error-message") || [...form.elements].some(isChanged);

function isChanged(field) {
  if (field.type === "hidden") return false;
  if (field.type === "radio" || field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.options) return [...field.options].some(isChangedOption);
  return field.value !== (field.defaultValue ?? field.value);
}

// The first option is selected where the page selects none.
function isChangedOption(option) {
  return option.selected !== option.defaultSelected && (option.defaultSelected || option.index > 0);
}

// Puts the kept text back into its form, after a new sign-in.
function putBack(kept) {
  const action = new URL(kept.action).pathname;
  const form = [...main.querySelectorAll("form[method=post]")].find((candidate) => new URL(candidate.action).pathname === action);
  // How many rows of a kind there are (`_FORMS`) is for the page to say, which may have more of them by now.
  const fields = [...kept.elements].filter((field) => field.name && field.name !== "csrfmiddlewaretoken" && !field.name.endsWith("_FORMS"));
  if (!form || !fields.every((field) => form.elements[field.name])) return;
  form.querySelectorAll("[type=checkbox]").forEach((box) => { box.checked = false; });
  for (const { name, value } of fields) {
    for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (field.type === "radio" || field.type === "checkbox") field.checked ||= field.value === value;
      else field.value = value;
    }
  }
  kept.hidden = true;
  document.querySelector("#unsaved [data-words]").textContent = "It is back in the form. Look it through, then save it.";
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

// Sends a form only if the server can be reached. Else it stays as it is, with a message above it.
async function sendIfReached(event) {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || !form.matches("form[data-save-key]")) return;
  event.preventDefault();
  try {
    await ask("GET");
  } catch {
    delete form.dataset.isSent;
    return showNoConnection();
  }
  // The pressed button is taken out of the form again: "Back" may show the page as it was left.
  const pressed = Object.assign(document.createElement("input"), {
    type: "hidden", name: submitter?.name || "", value: submitter?.value || "",
  });
  const { action } = form;
  form.append(pressed);
  if (submitter?.hasAttribute("formaction")) form.action = submitter.formAction;
  HTMLFormElement.prototype.submit.call(form); // It collects the fields before it returns.
  pressed.remove();
  form.action = action;
}

function showNoConnection() {
  const strip = document.getElementById("lost") || document.createElement("div");
  Object.assign(strip, { id: "lost", className: "app-strip app-strip--error", tabIndex: -1 });
  strip.setAttribute("role", "alert");
  strip.innerHTML = "<p><strong>No connection. Nothing was saved.</strong> What you typed is still in "
    + "the form: save again when the connection is back.</p>";
  main.prepend(strip);
  strip.focus();
}

// "Back" shows a page out of memory; after a sign-out nobody may read it there.
async function recheckSession(event) {
  if (!event.persisted) return;
  document.body.hidden = true;
  if (await ask("GET").catch(() => 0)) document.body.hidden = false;
  else location.reload();
}

setEnd(Number(dialog.dataset.seconds));
window.addEventListener("pageshow", recheckSession);
setInterval(checkSession, 1000);
document.addEventListener("visibilitychange", checkSession);
dialog.querySelector("[data-stay]").addEventListener("click", stay);
dialog.addEventListener("cancel", (event) => { event.preventDefault(); stay(); });
document.addEventListener("input", () => { if (Date.now() - lastRenewal > WORK_MS) stay(); });
document.addEventListener("htmx:responseError", (event) => { if (event.detail.xhr.status === 401) leave(); });
document.addEventListener("submit", sendIfReached);
const kept = document.querySelector("#unsaved form");
if (kept) putBack(kept);
