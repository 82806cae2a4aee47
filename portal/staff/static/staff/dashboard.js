// Keeps the dashboard's figures live: asks every second, replaces what changed, shows whether the
// figures are current, and draws the time lines.
const EVERY_MS = 1000; // Between two requests for figures.
const SIGNED_OUT_MS = 15000; // The same, while nobody is signed in.
const AGAIN_MS = 5000; // Until a page without figures loads again.
const GIVE_UP_MS = 8000; // Without an answer, until the figures count as stale.
const root = document.getElementById("figures");
const pause = document.querySelector("[data-pause]");
const charts = new Map();
let etag = root?.dataset.tag;
let lastGood = Date.now();
let isPaused = false;
let isSignedOut = false;

const badge = () => root.querySelector("[data-badge]");
const clock = (time) => new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function showState(state, words) {
  const shown = badge();
  if (shown.textContent === words) return; // Setting a status again would have it read out again.
  shown.className = `app-badge app-badge--${state}`;
  shown.textContent = words;
}

function showServerState() {
  const { state, asOf } = badge().dataset;
  showState(state, { live: "Live", behind: "Catching up", stale: `Stale since ${asOf}` }[state]);
}

async function refresh() {
  try {
    const answer = await fetch(root.dataset.address, {
      cache: "no-store", credentials: "same-origin", redirect: "manual", signal: AbortSignal.timeout(GIVE_UP_MS),
      headers: { "If-None-Match": etag, ...("stays" in root.dataset ? {} : { "X-Poll": "1" }) },
    });
    showSignedOut(answer.status === 401 || answer.type === "opaqueredirect"); // A redirect leads to the sign-in page.
    if (isSignedOut) return;
    if (answer.status !== 304 && !answer.ok) throw new Error(answer.status);
    if (answer.status === 200) replaceFigures(await answer.text(), answer.headers.get("ETag"));
    lastGood = Date.now();
    if (!isPaused) showServerState();
  } catch {
    const isLost = Date.now() - lastGood > GIVE_UP_MS;
    if (!isPaused) showState(isLost ? "stale" : "waiting", isLost ? `Stale since ${clock(lastGood)}` : "Reconnecting");
  }
}

function showSignedOut(isNowSignedOut) {
  if (isNowSignedOut && !isSignedOut) showState("stale", `Signed out at ${clock(Date.now())}`);
  isSignedOut = isNowSignedOut;
  root.querySelector("[data-sign-in]").hidden = !isNowSignedOut;
}

function replaceFigures(html, newTag) {
  if (isPaused) return;
  etag = newTag;
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of root.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (other && other.innerHTML !== part.innerHTML) part.innerHTML = other.innerHTML;
  }
  Object.assign(badge().dataset, fresh.querySelector("[data-badge]").dataset);
  drawLines();
}

// A time line is drawn from its table.
function drawLines() {
  for (const place of root.querySelectorAll("[data-line]")) {
    const rows = [...root.querySelectorAll(`tbody[data-live="${place.dataset.line}"] tr`)];
    const names = rows.map((row) => row.cells[0].textContent);
    const counts = rows.map((row) => Number(row.cells[1].textContent.replaceAll(",", "")));
    const data = [counts.map((_, index) => index), counts];
    const chart = charts.get(place) || makeChart(place);
    chart.names = names;
    chart.plot.setData(data);
  }
}

function makeChart(place) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--nhsuk-secondary-text-colour");
  const brand = style.getPropertyValue("--nhsuk-brand-colour");
  const grid = { stroke: "#e4eaeb", width: 1 };
  const size = 0.75 * parseFloat(style.fontSize); // Axes grow with the text around them.
  const font = `${size}px ${style.fontFamily}`;
  const room = () => ({ width: place.clientWidth, height: place.clientHeight });
  const chart = { names: [] };
  const name = (index) => chart.names[index] ?? "";
  const status = place.parentElement.querySelector("[data-read-out]");
  const readOut = ({ cursor, data }) => {
    status.textContent = cursor.idx == null ? "" : `${name(cursor.idx)}: ${data[1][cursor.idx]}`;
  };
  const options = {
    ...room(), cursor: { y: false }, legend: { show: false },
    hooks: { setCursor: [readOut] },
    scales: { x: { time: false }, y: { range: (_, low, high) => [0, Math.max(4, Math.ceil(high * 1.1))] } },
    axes: [
      {
        stroke: ink, font, grid: { show: false }, size: size * 2.5, space: size * 7.5,
        incrs: [1, 5, 6, 10, 12, 15, 24, 30], values: (_, indexes) => indexes.map(name),
      },
      {
        stroke: ink, font, grid, size: size * 4, space: size * 2.5,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000, 50000],
      },
    ],
    series: [{}, { stroke: brand, fill: `${brand.trim()}22`, width: 2, points: { show: false } }],
  };
  chart.plot = new window.uPlot(options, [[], []], place);
  charts.set(place, chart);
  new ResizeObserver(() => chart.plot.setSize(room())).observe(place);
  return chart;
}

function togglePause() {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  pause.textContent = isPaused ? "Go on" : "Pause";
  if (isPaused) showState("paused", `Paused at ${clock(Date.now())}`);
  else refresh();
}

async function poll() {
  if (!isPaused && !document.hidden) await refresh();
  setTimeout(poll, isSignedOut ? SIGNED_OUT_MS : EVERY_MS);
}

if (root) {
  if (pause) {
    pause.hidden = false;
    pause.addEventListener("click", togglePause);
  }
  drawLines();
  poll();
}
if (document.querySelector("[data-again]")) setTimeout(() => location.reload(), AGAIN_MS);

const exit = document.querySelector("[data-leave]");
if (exit) document.addEventListener("keydown", (event) => { if (event.key === "Escape") exit.click(); });
