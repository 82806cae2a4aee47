// Suggestions below the search box of every page. Enter sends the form, as without scripts.
import { Choices, suggestions } from "./choices.js";

for (const form of document.querySelectorAll("form[data-suggest]")) {
  if (form.dataset.suggest) suggestBelow(form, form.querySelector("input[type=search]"));
}

function suggestBelow(form, box) {
  const list = Object.assign(document.createElement("div"), {
    id: `${box.id}-list`, className: "app-suggestions", hidden: true,
  });
  const status = Object.assign(document.createElement("p"), { className: "nhsuk-u-visually-hidden" });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Patients found");
  status.setAttribute("role", "status");
  form.append(list, status);
  const roles = { role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" };
  Object.entries(roles).forEach(([name, value]) => box.setAttribute(name, value));

  const choices = new Choices(box, list);
  const close = () => {
    ask("");
    list.hidden = true;
    box.setAttribute("aria-expanded", "false");
  };
  const ask = suggestions(form.dataset.suggest, (links, text) => {
    choices.mark(null);
    list.replaceChildren(...links);
    list.hidden = !links.length || document.activeElement !== box;
    box.setAttribute("aria-expanded", String(!list.hidden));
    status.textContent = text ? countOf(links.filter((link) => link.querySelector("span")).length) : "";
  });
  box.addEventListener("input", () => ask(box.value));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || list.hidden) return;
    event.preventDefault(); // Closes the list; the text stays.
    close();
  });
  form.addEventListener("focusout", (event) => form.contains(event.relatedTarget) || close());
  form.addEventListener("submit", close);
}

// Read out by screen readers. Patients have a second line; links to other searches have none.
const countOf = (number) => (number ? `${number} found. Arrow down to choose.` : "Nobody found");

// The list of patients follows its own box and filters by htmx. Until it shows the hits of the typed
// text, the arrows do not enter it: Down and Enter would open a patient of the earlier text.
const found = document.getElementById("found");
if (found) followBox(found, document.querySelector("form[hx-target='#found']"));

function followBox(list, form) {
  const isCurrent = (config) => [...new FormData(form)].every(([name, value]) => config.parameters[name] === value);
  form.addEventListener("input", () => list.setAttribute("aria-busy", "true"));
  form.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.xhr.status >= 400 && detail.xhr.status !== 401) return form.submit(); // The whole page says what is wrong.
    if (detail.successful && isCurrent(detail.requestConfig)) list.removeAttribute("aria-busy");
  });
}
