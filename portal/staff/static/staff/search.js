// Suggestions below the search box of every page. Without scripts the box sends its form, as Enter does here too.
import { Choices, suggestions } from "./choices.js";

for (const form of document.querySelectorAll("form[data-suggest]")) {
  if (form.dataset.suggest) suggestBelow(form, form.querySelector("input[type=search]"));
}

function suggestBelow(form, box) {
  const list = Object.assign(document.createElement("div"), { id: `${box.id}-list`, className: "app-suggestions", hidden: true });
  const told = Object.assign(document.createElement("p"), { className: "nhsuk-u-visually-hidden" });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Patients found");
  told.setAttribute("role", "status");
  form.append(list, told);
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
    told.textContent = text ? countOf(links.filter((link) => link.querySelector("span")).length) : "";
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

// Read out; each person found has a second line, which the ways on from here do not have.
const countOf = (number) => (number ? `${number} found. Arrow down to choose.` : "Nobody found");

// The list of patients follows its own box and filters by htmx. Until it is of the text that stands there it cannot be
// walked with the arrows: who types on and presses Down and Enter would open somebody of the text before.
const found = document.getElementById("found");
if (found) followBox(found, document.querySelector("form[hx-target='#found']"));

function followBox(list, form) {
  const isOf = (config) => [...new FormData(form)].every(([name, value]) => config.parameters[name] === value);
  form.addEventListener("input", () => list.setAttribute("aria-busy", "true"));
  form.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.xhr.status >= 400 && detail.xhr.status !== 401) return form.submit(); // The whole page says what is wrong.
    if (detail.successful && isOf(detail.requestConfig)) list.removeAttribute("aria-busy");
  });
}
