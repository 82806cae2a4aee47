// A box with choices below it: the keyboard stays in the box while Up and Down mark a choice and Enter follows it.
// Choices are links, so a mouse, a middle click and "copy the address" work as on any link.
let made = 0;

export class Choices {
  constructor(box, list) {
    [this.box, this.list, this.marked] = [box, list, null];
    box.addEventListener("keydown", (event) => this.onKey(event));
  }

  get all() {
    return [...this.list.querySelectorAll("[role=option]")].filter((one) => !one.closest("[hidden]"));
  }

  mark(choice) {
    this.marked?.removeAttribute("aria-selected");
    this.marked = choice || null;
    if (!choice) return this.box.removeAttribute("aria-activedescendant");
    choice.id ||= `choice-${++made}`;
    choice.setAttribute("aria-selected", "true");
    choice.scrollIntoView({ block: "nearest" });
    this.box.setAttribute("aria-activedescendant", choice.id);
  }

  onKey(event) {
    const all = this.all;
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || !all.length) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const from = this.marked ? all.indexOf(this.marked) : step < 0 ? 0 : -1;
      this.mark(all[(from + step + all.length) % all.length]);
    } else if (event.key === "Enter" && this.marked) {
      this.marked.click();
    } else return;
    event.preventDefault(); // Neither moves the caret nor sends the form.
    event.stopPropagation();
  }
}

// Suggestions come as list items with a link each. The link is the choice: what stands inside a choice is not reached.
export function asChoices(html) {
  const told = document.createElement("template");
  told.innerHTML = html;
  const links = [...told.content.querySelectorAll("a[href]")];
  for (const link of links) {
    link.setAttribute("role", "option");
    link.tabIndex = -1;
  }
  return links;
}

// Asks while somebody types: not at each letter, and what has been overtaken is dropped.
const WAIT_MS = 90;

export function suggestions(address, show) {
  let waiting, asking;
  return (text) => {
    clearTimeout(waiting);
    asking?.abort();
    if (!address || text.trim().length < 2) return show([], address ? "" : text);
    waiting = setTimeout(async () => {
      asking = new AbortController();
      try {
        const answer = await fetch(`${address}?q=${encodeURIComponent(text)}`, {
          signal: asking.signal, credentials: "same-origin", headers: { "X-Poll": "1" },
        });
        show(answer.ok ? asChoices(await answer.text()) : [], text);
      } catch (fault) {
        if (fault.name !== "AbortError") show([], text);
      }
    }, WAIT_MS);
  };
}
