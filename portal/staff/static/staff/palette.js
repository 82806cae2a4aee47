// Ctrl K: one box that leads to patients, pages and actions. Pages and actions are there at once.
import { asChoices, Choices, suggestions } from "./choices.js";
import { closeDialog, openDialog, opens } from "./dialogs.js";

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
const isFilledIn = "form:has(input:not([type=hidden]), select, textarea)";

function open() {
  const offers = offersOfThisPage();
  const palette = openDialog("palette");
  if (palette) new Palette(palette, offers);
}

// Tabs, buttons and links of the page itself, such as Edit or Print label: who may not use them does not have them.
function offersOfThisPage() {
  const own = [...document.querySelectorAll(".app-tabs a:not([aria-current]), main .nhsuk-button")];
  return own.filter((one) => one.offsetParent && !one.disabled && !one.closest(isFilledIn)).map((target) => {
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
    const known = new Set(this.choices.all.map((choice) => choice.textContent));
    this.list.querySelector("[data-here]").append(...offers.filter((offer) => !known.has(offer.textContent)));
    this.ask = suggestions(this.box.dataset.suggest, (links, text) => this.showFound(links, text));
    this.box.addEventListener("input", () => this.narrow());
    this.narrow();
    this.askRecent(this.list.querySelector("[data-recent]"));
  }

  // Asked for when the palette opens and not before: that somebody's name is shown is written down.
  // Nothing is marked until it is known who comes first: a quick Enter goes nowhere, and never to something else.
  async askRecent(group) {
    if (!group) return;
    this.choices.mark(null);
    try {
      const answer = await fetch(group.dataset.recent, { credentials: "same-origin", headers: { "X-Poll": "1" }, signal: AbortSignal.timeout(5000) });
      if (answer.ok) group.append(...asChoices(await answer.text()));
    } catch {} // Pages and actions are there without.
    const { marked } = this.choices;
    if (this.box.value) this.narrow();
    else group.hidden = !group.querySelector("[role=option]");
    this.choices.mark(marked || this.choices.all[0]); // What somebody marked meanwhile stays marked.
  }

  // Each typed word begins a word of what stays.
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
    this.choices.mark(this.choices.all[0]);
    this.ask(this.box.value);
  }

  // They come below what stood there at once, so that an Enter in that moment goes where it was meant to go.
  showFound(links, text) {
    const found = this.list.querySelector("[data-found]");
    if (found) {
      found.querySelectorAll("[role=option]").forEach((link) => link.remove());
      const shown = new Set(this.choices.all.map((choice) => choice.href));
      found.append(...links.filter((link) => !shown.has(link.href)));
      found.hidden = !found.querySelector("[role=option]");
    }
    if (!this.choices.marked?.isConnected) this.choices.mark(this.choices.all[0]);
    this.none.textContent = !text || this.choices.all.length ? "" : "Nothing found. Try the beginning of a page or an action.";
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
