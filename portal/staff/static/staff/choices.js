// A box with choices below it: the focus stays in the box while Up and Down mark a choice and Enter
// follows it. Choices are links, so a middle click and "copy the address" work as on any link.
let idCount = 0;

export class Choices {
  constructor(box, list) {
    [this.box, this.list, this.marked] = [box, list, null];
    box.addEventListener("keydown", (event) => this.onKey(event));
  }

  get visible() {
    const choices = [...this.list.querySelectorAll("[role=option]")];
    return choices.filter((choice) => !choice.closest("[hidden]"));
  }

  mark(choice) {
    this.marked?.removeAttribute("aria-selected");
    this.marked = choice || null;
    if (!choice) return this.box.removeAttribute("aria-activedescendant");
    choice.id ||= `choice-${++idCount}`;
    choice.setAttribute("aria-selected", "true");
    choice.scrollIntoView({ block: "nearest" });
    this.box.setAttribute("aria-activedescendant", choice.id);
  }

  onKey(event) {
    const { visible } = this;
    const hasModifier = event.ctrlKey || event.metaKey || event.altKey;
    if (event.isComposing || hasModifier || !visible.length) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const from = this.marked ? visible.indexOf(this.marked) : step < 0 ? 0 : -1;
      this.mark(visible[(from + step + visible.length) % visible.length]);
    } else if (event.key === "Enter" && this.marked) {
      this.marked.click();
    } else return;
    event.preventDefault(); // Else the caret would move, or the form be sent.
    event.stopPropagation();
  }
}

// Suggestions come as list items with a link each. The links become the choices, without their list:
// screen readers do not reach elements inside of a choice.
export function asChoices(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const links = [...template.content.querySelectorAll("a[href]")];
  for (const link of links) {
    link.setAttribute("role", "option");
    link.tabIndex = -1;
  }
  return links;
}

// Asks the server while the user types: after a pause, and only the last answer counts.
const WAIT_MS = 90; // Without a key, until the server is asked.

export function suggestions(address, show) {
  let timer, request;
  return (text) => {
    clearTimeout(timer);
    request?.abort();
    if (!address || text.trim().length < 2) return show([], address ? "" : text);
    timer = setTimeout(async () => {
      request = new AbortController();
      try {
        const answer = await fetch(`${address}?q=${encodeURIComponent(text.slice(0, 200))}`, {
          signal: request.signal, credentials: "same-origin", headers: { "X-Poll": "1" },
        });
        show(answer.ok ? asChoices(await answer.text()) : [], text);
      } catch (error) {
        if (error.name !== "AbortError") show([], text);
      }
    }, WAIT_MS);
  };
}
