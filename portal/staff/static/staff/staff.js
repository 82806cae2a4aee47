// Additions to all pages: components of the look, keys, dates pasted whole. Pages work without them.
import { openDialog } from "./dialogs.js";
import { createAll, Button, ErrorSummary, PasswordInput, Radios, SkipLink } from "./vendor/nhsuk-frontend.js";

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
for (const component of [Button, ErrorSummary, PasswordInput, Radios, SkipLink]) createAll(component);

const isTyping = (element) => element.closest("input, select, textarea, [contenteditable]") !== null;

function onKey(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return saveForm(event);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") return moveInList(event);
  const isFree = "singleKeys" in document.body.dataset && !isTyping(event.target);
  if (!isFree || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "/") focusSearch(event);
  if (event.key === "?") showKeys(event);
}

function saveForm(event) {
  const form = event.target.closest("form[data-save-key]");
  if (form) {
    event.preventDefault();
    form.requestSubmit();
  }
}

function focusSearch(event) {
  const box = document.querySelector("[data-search-key]");
  if (box) {
    event.preventDefault();
    box.focus();
    box.select();
  }
}

function showKeys(event) {
  if (!document.getElementById("keys")) return;
  event.preventDefault();
  openDialog("keys");
}

// Down in the search box enters the list; Up and Down move in it; Enter follows the link as always.
function moveInList(event) {
  const links = [...document.querySelectorAll("[data-walk] [data-stop]")];
  const here = links.indexOf(event.target);
  const comesFromSearch = event.target.matches("main input[type=search], [data-search-key]");
  if (!links.length || (here < 0 && !comesFromSearch)) return;
  const next = here + (event.key === "ArrowDown" ? 1 : -1);
  if (next < 0 && here < 0) return;
  event.preventDefault();
  if (links[0].closest("[aria-busy=true]")) return;
  (links[next] || document.querySelector("main input[type=search]") || links[here]).focus();
}

// A whole date pasted or typed into one of three boxes fills them all.
const WHOLE_DATES = [
  [/^\s*(\d{1,2})[\s/.-]+(\d{1,2}|[A-Za-z]{3,9})[\s/.,-]+(\d{4}|\d{2})\s*$/, [1, 2, 3]],
  [/^\s*(\d{4})[\s/.-]+(\d{1,2}|[A-Za-z]{3,9})[\s/.-]+(\d{1,2})\s*$/, [3, 2, 1]],
];

function spreadDate(event) {
  const group = event.target.closest("[data-date-boxes]");
  const found = group && WHOLE_DATES.map(([form, order]) => [event.target.value.match(form), order]).find(([m]) => m);
  if (!found) return;
  const boxes = group.querySelectorAll("input");
  if (boxes.length !== 3) return;
  found[1].forEach((part, index) => { boxes[index].value = found[0][part]; });
  boxes[2].focus();
}

// A second click on Save while the form is being sent does nothing; the server would also refuse it.
function saveOnce(event) {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.isSent) event.preventDefault();
  form.dataset.isSent = "yes";
}

document.addEventListener("keydown", onKey);
document.addEventListener("change", spreadDate);
document.addEventListener("paste", (event) => setTimeout(spreadDate, 0, event));
document.addEventListener("submit", saveOnce);
window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => delete form.dataset.isSent));
