// Ctrl K opens a box that leads to patients, pages and actions. Pages and actions are there at once.
import { asChoices, Choices, suggestions } from "./choices.js";
import { closeDialog, openDialog, opens } from "./dialogs.js";

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
const FORM_WITH_INPUTS = "form:has(input:not([type=hidden]), select, textarea)";

function open() {
  const offers = offersOfThisPage();
  const palette = openDialog("palette");
  if (palette) new Palette(palette, offers);
}

// Tabs, buttons and links of the page itself, such as Edit or Print label. A page has only those that
// its user may use.
function offersOfThisPage() {
  const controls = [...document.querySelectorAll(".app-tabs a:not([aria-current]), main .nhsuk-button")];
  const isOffered = (control) => control.offsetParent && !control.disabled && !control.closest(FORM_WITH_INPUTS);
  return controls.filter(isOffered).map((target) => {
    const offer = Object.assign(document.createElement("a"), { href: target.href || "#", tabIndex: -1 });
    offer.textContent = target.textContent.trim();
    offer.setAttribute("role", "option");
    offer.addEventListener("click", (event) => {
      event.preventDefault();
      closeDialog();
      target.click();
    });
    return offer;
  });
}

class Palette {
  constructor(palette, offers) {
    this.box = palette.querySelector("input");
    this.list = palette.querySelector("[role=listbox]");
    this.none = palette.querySelector("[role=status]");
    this.choices = new Choices(this.box, this.list);
    const known = new Set(this.choices.visible.map((choice) => choice.textContent));
    this.list.querySelector("[data-here]").append(...offers.filter((offer) => !known.has(offer.textContent)));
    this.ask = suggestions(this.box.dataset.suggest, (links, text) => this.showFound(links, text));
    this.box.addEventListener("input", () => this.narrow());
    this.narrow();
    this.askRecent(this.list.querySelector("[data-recent]"));
  }

  // Loaded when the palette opens and not before, since showing names makes an access record.
  // Nothing is marked until the first patient is known, so that a quick Enter cannot go elsewhere.
  async askRecent(group) {
    if (!group) return;
    this.choices.mark(null);
    try {
      const answer = await fetch(group.dataset.recent, {
        credentials: "same-origin", headers: { "X-Poll": "1" }, signal: AbortSignal.timeout(5000),
      });
      if (answer.ok) group.append(...asChoices(await answer.text()));
    } catch {} // Pages and actions work without them.
    const { marked } = this.choices;
    if (this.box.value) this.narrow();
    else group.hidden = !group.querySelector("[role=option]");
    this.choices.mark(marked || this.choices.visible[0]); // What the user marked meanwhile stays marked.
  }

  // Leaves the choices in which each typed word begins a word.
  narrow() {
    const words = this.box.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const group of this.list.querySelectorAll("[role=group]:not([data-found])")) {
      const all = [...group.querySelectorAll("[role=option]")];
      for (const choice of all) {
        const text = ` ${choice.textContent.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ")}`;
        choice.hidden = !words.every((word) => text.includes(` ${word}`));
      }
      group.hidden = all.every((choice) => choice.hidden);
    }
    this.none.textContent = "";
    this.choices.mark(this.choices.visible[0]);
    this.ask(this.box.value);
  }

  // Found patients come below the rest, so that an Enter at that moment goes where it was meant to.
  showFound(links, text) {
    const found = this.list.querySelector("[data-found]");
    if (found) {
      found.querySelectorAll("[role=option]").forEach((link) => link.remove());
      const shown = new Set(this.choices.visible.map((choice) => choice.href));
      found.append(...links.filter((link) => !shown.has(link.href)));
      found.hidden = !found.querySelector("[role=option]");
    }
    if (!this.choices.marked?.isConnected) this.choices.mark(this.choices.visible[0]);
    const isEmpty = text && !this.choices.visible.length;
    this.none.textContent = isEmpty ? "Nothing found. Try the beginning of a page or an action." : "";
  }
}

opens("palette", open);
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (document.querySelector(".app-palette")) closeDialog();
  else open();
});
for (const button of document.querySelectorAll("button[data-open=palette]")) {
  button.hidden = false;
  if (isMac) button.querySelector("kbd").textContent = "⌘ K";
}
