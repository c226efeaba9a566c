// Success: the whole sheet for two seconds, then a bar; the undo ring runs for ten seconds.

import { $, act, busy, clone, fill, say, show, view } from "./dom.js";
import { quietly } from "./focus.js";
import { signal } from "./signals.js";
import { on, state } from "./state.js";
import { t, today } from "./words.js";

const SHEET_FOR = 2000;
const UNDO_FOR = 10000;
const TICK = 100;
const LANDS = 200; // ms: the stamp comes down, and is heard
const SENDING_AFTER = 800; // ms without an answer, which the sheet then says

let shrinking;
let ticking;
let landing;
let waiting;
let heard = false; // the two notes of a reward
let undo = () => {};
let reopen = () => {};
let rest = () => {};

export function setUp(handlers) {
  undo = handlers.undo;
  reopen = handlers.reopen;
  rest = handlers.rest;
  on("locked", forget);
}

// The server has it, or this till has saved it.
const settled = (last) => Boolean(last?.transactionId || last?.kept);

const scanField = () => document.getElementById("scan-input");

// Show a success. `last` is {key, card, figure, sentence, reward, gift, transactionId}; without an id it is still on its way.
export function succeed(last) {
  const root = fill(clone("done"), { figure: last.figure, sentence: last.sentence, reward: last.reward, sending: null });
  root.classList.toggle("gold", Boolean(last.gift));
  root.dataset.pending = "yes";
  $(".impression-date textPath", root).textContent = today();
  impress(root, last);
  act(root, "undo", takeBack);
  state.last = { ...last, left: UNDO_FOR, shownAt: Date.now() };
  stopWaiting();
  clearInterval(ticking);
  show("done", root, { focus: null });
  scanField().value = "";
  quietly(scanField());
  draw();
  hear(last);
  tell(last);
  if (settled(last)) settle(last);
  else waiting = setTimeout(() => fill(root, { sending: t("sending") }), SENDING_AFTER);
}

function stopWaiting() {
  clearTimeout(shrinking);
  clearTimeout(waiting);
}

const tell = (last) => say([last.figure, last.sentence, last.reward].filter(Boolean).join(". "));

const isReward = (last) => Boolean(last.reward || last.gift || last.rings);

// Once, as the stamp lands; what is refused before that is not heard as given. A reward of which only the server knew is
// told when it answers.
function hear(last) {
  heard = isReward(last);
  clearTimeout(landing);
  landing = setTimeout(signal, LANDS, heard ? "reward" : "given");
}

// A reward shows the gift in the stamp instead of the trade's icon.
function impress(root, last) {
  const icon = $(".impression use", root);
  if (!icon || !isReward(last)) return;
  icon.setAttribute("href", icon.getAttribute("href").replace(/#.*$/, "#gift"));
}

// The server has answered, or the till has saved it: the numbers are set right, the ring starts, and the sheet shrinks in a
// moment. Undo that was tapped meanwhile goes on now.
export function settle(last) {
  const before = state.last;
  if (!before || before.key !== last.key) return;
  state.last = { ...before, ...last, left: UNDO_FOR };
  clearTimeout(waiting);
  const root = $(".done-sheet") ?? $("#sheet [data-part=bar]");
  if (root) {
    fill(root, { figure: last.figure, sentence: last.sentence, reward: last.reward, sending: null });
    delete root.dataset.pending;
    impress(root, last);
  }
  if (["figure", "sentence", "reward"].some((name) => (before[name] ?? null) !== (last[name] ?? null))) tell(last);
  if (isReward(last) && !heard) hear(last);
  if (before.asked) {
    undo(state.last);
    return;
  }
  clearInterval(ticking);
  ticking = setInterval(tick, TICK);
  draw();
  shrinking = setTimeout(shrink, Math.max(before.shownAt + SHEET_FOR - Date.now(), SHEET_FOR / 4));
}

// What was shown did not happen. Returns whether undo had been tapped.
export function withdraw(key) {
  const asked = state.last?.key === key && Boolean(state.last.asked);
  stopWaiting();
  clearTimeout(landing);
  if (state.last?.key === key) state.last = null;
  return asked;
}

function shrink() {
  if (view() !== "done" || state.last?.asked) return;
  if ($(".done-sheet .undo")?.matches(":focus-visible")) {
    shrinking = setTimeout(shrink, 500);
    return;
  }
  rest();
}

// The sheet between two cards: the bar of the last success while it can be undone.
export function idle({ undone = "" } = {}) {
  clearTimeout(shrinking);
  const root = fill(clone("idle"), { undone });
  if (state.last) {
    $("[data-part=bar]", root).hidden = false;
    fill(root, { figure: state.last.figure, sentence: state.last.sentence });
    if (state.last.asked) busy($(".undo", root), true);
    act(root, "undo", takeBack);
    act(root, "reopen", () => reopen(state.last.card));
  }
  show("idle", root, { focus: null });
  document.getElementById("main").dataset.bar = state.last || undone ? "yes" : "no";
  draw();
  quietly(scanField());
}

function tick() {
  if (!state.last) {
    clearInterval(ticking);
    return;
  }
  const button = $("#sheet .undo");
  if (button?.matches(":hover, :focus-visible") && !button.matches("[aria-busy]")) return;
  state.last.left -= TICK;
  if (state.last.left <= 0) forget();
  else draw();
}

function draw() {
  if (!state.last) return;
  const seconds = Math.ceil(state.last.left / 1000);
  document.querySelectorAll("#sheet .undo").forEach((button) => {
    button.hidden = !canUndo();
    fill(button, { seconds, left: t("undo_seconds", { count: seconds }) });
    $(".ring-left", button).setAttribute("stroke-dashoffset", String(100 - (100 * state.last.left) / UNDO_FOR));
  });
}

// The ten seconds are over, or the next card has come.
export function forget() {
  clearInterval(ticking);
  state.last = null;
  if (view() === "done") return;
  const bar = $("#sheet [data-part=bar]");
  if (!bar) return;
  bar.hidden = true;
  document.getElementById("main").dataset.bar = "no";
}

export const canUndo = () => Boolean(state.last?.undoable) && ["done", "idle"].includes(view());

// Undo: at once where the success is settled, else as soon as it is.
export function takeBack() {
  if (!canUndo() || state.last.asked) return;
  clearTimeout(shrinking);
  clearInterval(ticking);
  const button = $("#sheet .undo");
  if (button) busy(button, true);
  state.last.asked = true;
  if (settled(state.last)) undo(state.last);
}
