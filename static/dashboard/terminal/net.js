// Whether the server can be reached, and what the bar says about it and about what waits.

import { get } from "./api.js";
import { $, fill, say } from "./dom.js";
import * as queue from "./queue.js";
import { on } from "./state.js";
import { t } from "./words.js";

const PROBE_EVERY = 15000;
const TICK = 20000;

const status = document.getElementById("net");
const strip = document.getElementById("offline");
const opener = document.getElementById("kept");
let reached = true;

export const online = () => navigator.onLine && reached;

export function setUp() {
  window.addEventListener("online", () => { set(true); queue.send(); });
  window.addEventListener("offline", () => set(false));
  document.addEventListener("till:reached", () => {
    if (!reached) queue.soon(0);
    set(true);
  });
  document.addEventListener("till:unreached", () => set(false));
  on("queue", draw);
  setInterval(() => draw(queue.now()), TICK);
  setInterval(probe, PROBE_EVERY);
  set(navigator.onLine);
}

// While the server is away one small question tells when it is back; a device without a network does not ask.
function probe() {
  if (reached || !navigator.onLine || document.hidden || queue.isSending()) return;
  if (queue.now().count) queue.send();
  else get("staff").catch(() => {});
}

function set(now) {
  const before = !status.classList.contains("off");
  reached = now;
  const word = t(online() ? "online" : "no_connection");
  status.classList.toggle("off", !online());
  $(".net-word", status).textContent = word;
  if (before !== online()) say(word, { now: !online() });
  draw(queue.now());
}

// "4 min", "2 h": how long ago, in a form that fits a bar.
export function age(iso) {
  const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(iso)) / 60000));
  if (minutes < 1) return t("age_now");
  return minutes < 60 ? t("age_minutes", { count: minutes }) : t("age_hours", { count: Math.floor(minutes / 60) });
}

function draw({ count, oldest, answered, held }) {
  const chip = $("[data-test=queue-count]", opener);
  chip.hidden = count === 0;
  chip.textContent = String(count);
  opener.hidden = count === 0 && answered === 0;
  const oldestAge = oldest && age(oldest);
  fill(opener, { age: count ? t(queue.isSending() ? "sending" : "oldest", { age: oldestAge }) : t("sent_list") });
  opener.setAttribute("aria-label", count ? t("kept_label", { count, age: oldestAge }) : t("sent_list"));
  opener.classList.toggle("attention", held > 0);
  strip.hidden = online();
  fill(strip, { text: count ? t("offline_kept", { count, age: oldestAge }) : t("offline_strip") });
  $("button", strip).hidden = count === 0;
}
