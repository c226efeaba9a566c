// Success: the whole sheet for two seconds, then a bar; the undo ring runs for ten seconds.

import { $, act, busy, clone, fill, say, show, view } from "./dom.js";
import { quietly } from "./focus.js";
import { signal } from "./signals.js";
import { on, state } from "./state.js";
import { t, today } from "./words.js";

const SHEET_FOR = 2000;
const UNDO_FOR = 10000;
const TICK = 100;

let shrinking;
let ticking;
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

// Show a success. `last` is {card, figure, sentence, reward, gift, transactionId}; without an id it is still on its way.
export function succeed(last) {
  clearTimeout(shrinking);
  const root = fill(clone("done"), {
    figure: last.figure, sentence: last.sentence, reward: last.reward,
    sending: settled(last) ? null : t("sending"),
  });
  root.classList.toggle("gold", Boolean(last.gift));
  $(".impression-date textPath", root).textContent = today();
  impress(root, last);
  act(root, "undo", takeBack);
  show("done", root, { focus: null });
  scanField().value = "";
  quietly(scanField());
  state.last = { ...last, left: UNDO_FOR };
  draw();
  hear(last);
  if (settled(last)) settle(last);
}

const isReward = (last) => Boolean(last.reward || last.gift);

// Once when the sheet shows it; a reward of which only the server knew is told when it answers.
function hear(last) {
  heard = isReward(last);
  signal(heard ? "reward" : "given");
}

// A reward shows the gift in the stamp instead of the trade's icon.
function impress(root, last) {
  if (!isReward(last)) return;
  const icon = $(".impression use", root);
  icon.setAttribute("href", icon.getAttribute("href").replace(/#.*$/, "#gift"));
}

// The server has answered: the ring starts, and the sheet shrinks in a moment.
export function settle(last) {
  state.last = { ...state.last, ...last, left: UNDO_FOR };
  const root = $(".done-sheet");
  if (root) {
    fill(root, { figure: last.figure, sentence: last.sentence, reward: last.reward, sending: null });
    impress(root, last);
  }
  say([last.figure, last.sentence, last.reward].filter(Boolean).join(". "));
  if (isReward(last) && !heard) hear(last);
  clearInterval(ticking);
  ticking = setInterval(tick, TICK);
  draw();
  shrinking = setTimeout(shrink, SHEET_FOR);
}

function shrink() {
  if (view() !== "done") return;
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
  if (settled(state.last)) {
    $("[data-part=bar]", root).hidden = false;
    fill(root, { figure: state.last.figure, sentence: state.last.sentence });
    act(root, "undo", takeBack);
    act(root, "reopen", () => reopen(state.last.card));
  }
  show("idle", root, { focus: null });
  document.getElementById("main").dataset.bar = settled(state.last) || undone ? "yes" : "no";
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

export const canUndo = () => Boolean(settled(state.last) && state.last.undoable) && ["done", "idle"].includes(view());

export function takeBack() {
  if (!canUndo()) return;
  clearTimeout(shrinking);
  const button = $("#sheet .undo");
  if (button?.hasAttribute("aria-busy")) return;
  if (button) busy(button, true);
  const last = state.last;
  clearInterval(ticking);
  undo(last);
}
