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

// A whole date pasted or typed into one of three boxes fills them all, as the server reads it:
// with dots or a month's name the day comes first, else day and month stand in the clinic's order.
const YEAR_FIRST = /^\s*(\d{4})[\s/.-]+(\d{1,2}|\p{L}{3,9})[\s/.-]+(\d{1,2})\s*$/u;
const YEAR_LAST = /^\s*(\d{1,2})([\s/.-]+)(\d{1,2}|\p{L}{3,9})[\s/.,-]+(\d{4}|\d{2})\s*$/u;

function partsOfDate(text, order) {
  let found = text.match(YEAR_FIRST);
  if (found) return [found[3], found[2], found[1]];
  found = text.match(YEAR_LAST);
  if (!found) return null;
  const [, first, separator, second, year] = found;
  const isNumeric = /^\d+$/.test(second) && !separator.includes(".");
  const isMonthFirst = order === "MDY" ? second <= 31 && first <= 12 : second > 12;
  return isNumeric && isMonthFirst ? [second, first, year] : [first, second, year];
}

function spreadDate(event) {
  const group = event.target.closest("[data-date-boxes]");
  const parts = group && partsOfDate(event.target.value, group.dataset.dateBoxes);
  if (!parts || group.querySelectorAll("input").length !== 3) return;
  const box = (index) => group.querySelector(`input[name$="_${index}"]`);
  parts.forEach((part, index) => { box(index).value = part; });
  box(2).focus();
}

const isPolling = (part) => part.getAttribute("hx-trigger")?.startsWith("every");
const answers = new Map(); // The tag of the last answer to each poll, and the part that it brought.

// The server answers 304, without looking, while it knows the tag of what the page shows.
function sendTag({ detail }) {
  if (!isPolling(detail.elt)) return;
  const answer = answers.get(detail.path);
  if (answer?.part.isEqualNode(comparable(detail.elt))) detail.headers["If-None-Match"] = answer.tag;
}

// A poll that brings nothing new leaves the page alone: focus and selection stay where they are.
function keepUnchangedPart(event) {
  const { elt: part, path } = event.detail.requestConfig;
  if (!isPolling(part)) return;
  const { xhr, serverResponse } = event.detail;
  if (xhr.status === 304) {
    event.detail.shouldSwap = false;
    return;
  }
  const answer = new DOMParser().parseFromString(serverResponse, "text/html");
  const fresh = answer.getElementById(part.id);
  const tag = xhr.getResponseHeader("ETag");
  if (fresh && tag) answers.set(path, { tag, part: comparable(fresh) });
  if (fresh && comparable(fresh).isEqualNode(comparable(part))) event.detail.shouldSwap = false;
}

function comparable(part) {
  const copy = document.importNode(part, true);
  copy.classList.remove("htmx-request", "htmx-settling", "htmx-added");
  if (!copy.classList.length) copy.removeAttribute("class");
  copy.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((token) => token.removeAttribute("value"));
  return copy;
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
document.addEventListener("htmx:configRequest", sendTag);
document.addEventListener("htmx:beforeSwap", keepUnchangedPart);
document.addEventListener("paste", (event) => setTimeout(spreadDate, 0, event));
document.addEventListener("submit", saveOnce);
window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => delete form.dataset.isSent));
