// Keeps the card true while it is looked at: asks for its version, and lands what is new the way a stamp lands.

const OFTEN = 4000;
const SELDOM = 15000;
// Nobody stands at the till for longer; the page may lie on a table after that.
const OFTEN_FOR = 180000;
const WAVE = 40;
const LIFT = 160;
const SAID_FOR = 8000;

export function watch(card, { changed }) {
  let timer = 0;
  let since = Date.now();
  let busy = false;

  function plan() {
    window.clearTimeout(timer);
    if (document.hidden) return;
    timer = window.setTimeout(look, Date.now() - since < OFTEN_FOR ? OFTEN : SELDOM);
  }

  async function look() {
    if (busy || document.hidden) return;
    busy = true;
    try {
      const answer = await fetch(card.dataset.state, {
        cache: "no-store", credentials: "same-origin", redirect: "manual",
        headers: { "If-None-Match": `"${card.dataset.version}"` },
      });
      online(true);
      if (answer.type === "opaqueredirect") return window.location.reload();
      if (answer.ok && (await answer.json()).version !== card.dataset.version) await refresh();
    } catch {
      online(false);
    } finally {
      busy = false;
      plan();
    }
  }

  async function refresh() {
    const answer = await fetch(card.dataset.page, { cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("card");
    if (!fresh) return window.location.reload();
    await land(card, fresh);
    since = Date.now();
    changed();
  }

  document.addEventListener("visibilitychange", () => {
    since = Date.now();
    if (document.hidden) window.clearTimeout(timer);
    else look();
  });
  window.addEventListener("online", look);
  window.addEventListener("offline", () => online(false));
  // A copy from the worker looks like any page: only the network tells.
  look();
}

function online(yes) {
  const line = document.getElementById("offline");
  if (line) line.hidden = yes;
}

const marks = (root) => root.querySelectorAll("#live-face .slot.on").length;

async function land(card, fresh) {
  const before = marks(card);
  const after = marks(fresh);
  const wasFull = Number(fresh.dataset.ready) > Number(card.dataset.ready) && after <= before;
  document.querySelector("dialog[data-awake][open]")?.close();
  if (wasFull) await lift(card);
  const from = wasFull ? 0 : before;
  fresh.querySelectorAll("#live-face .slot.on").forEach((slot, place) => slot.classList.toggle("fresh", place >= from));
  if (after > from) fresh.querySelector("#live-face .tray")?.classList.add("landing");
  for (const part of fresh.querySelectorAll("[data-live]")) replace(document.getElementById(part.id), part);
  card.dataset.version = fresh.dataset.version;
  card.dataset.ready = fresh.dataset.ready;
  say(card.querySelector("#face-lead")?.textContent);
}

// A full card: its marks lift one after the other, then the gift stands there.
async function lift(card) {
  if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const slots = [...card.querySelectorAll("#live-face .slot.on .stamp")];
  const step = Math.min(WAVE, (500 - LIFT) / Math.max(1, slots.length));
  const waves = slots.map((mark, place) => mark.animate(
    [{}, { opacity: 0, transform: "translateY(-10px)" }],
    { duration: LIFT, delay: place * step, fill: "forwards", easing: "ease-in" },
  ).finished);
  await Promise.allSettled(waves);
}

function replace(old, part) {
  if (!old) return;
  const kept = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  old.replaceChildren(...document.adoptNode(part).childNodes);
  if (kept) [...old.querySelectorAll("a[href]")].find((link) => link.getAttribute("href") === kept)?.focus();
}

// For screen readers: the sentence that leads the card, once more.
function say(text) {
  const line = document.createElement("span");
  line.className = "visually-hidden-always";
  line.textContent = (text ?? "").replace(/\s+/g, " ").trim();
  document.getElementById("live")?.append(line);
  window.setTimeout(() => line.remove(), SAID_FOR);
}
