// A form whose text outlives a lost network, and a panel in which Enter does not save.
const form = document.querySelector("form[data-keep-text]");
const away = form.querySelector("[data-away]");
const WORDS = "The portal cannot be reached. Nothing is lost: what you typed is still here. Save again in a moment.";
let isReached = false;

// A browser that sends a form without a network shows its own page, and the text is gone: so ask first.
async function askFirst(event) {
  if (isReached) {
    isReached = false;
    return;
  }
  event.preventDefault();
  event.stopPropagation();
  try {
    await fetch(document.querySelector("link[rel=icon]").href, { method: "HEAD", cache: "no-store" });
  } catch {
    away.textContent = WORDS;
    away.hidden = false;
    return;
  }
  isReached = true;
  form.requestSubmit(event.submitter);
}

// In the panel Enter would press Save, as in every field; there it chooses.
function choose(event) {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !event.target.matches("#similar input")) return;
  event.preventDefault();
  if (event.target.type === "radio") event.target.click();
}

// Once the form is on its way nobody waits for the panel, which would find the very patient who is being registered.
function stayQuiet(event) {
  if (isReached || form.dataset.isSent) event.preventDefault();
}

// After the end of a session the answer is the sign-in page: the panel stays as it is, and so does the text.
function keepPanel(event) {
  if (!event.detail.serverResponse.includes('id="echo-age"')) event.detail.shouldSwap = false;
}

form.addEventListener("submit", askFirst);
form.addEventListener("htmx:beforeSwap", keepPanel);
form.addEventListener("htmx:beforeRequest", stayQuiet);
form.addEventListener("keydown", choose);
