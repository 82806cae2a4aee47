// The theme gives all its scrolling regions the same label; this gives each its own, before the
// theme makes them.
const NAMES = { "nav-sidebar-apps": "Menu" };

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-simplebar]").forEach((region, index) => {
    const fallback = region.querySelector("#result_list") ? "Rows" : `Part ${index + 1}`;
    region.setAttribute("data-simplebar-aria-label", NAMES[region.id] || fallback);
  });
});
