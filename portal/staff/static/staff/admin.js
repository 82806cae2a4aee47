// The theme's scrolling parts all bear one name; each says here which part it is, before they are made.
const NAMES = { "nav-sidebar-apps": "Menu" };

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-simplebar]").forEach((part, place) => {
    const name = NAMES[part.id] || (part.querySelector("#result_list") ? "Rows" : `Part ${place + 1}`);
    part.setAttribute("data-simplebar-aria-label", name);
  });
});
