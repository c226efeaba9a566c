// Who is at the till: tap a name, type the PIN. The PIN goes to the server and nowhere else.

import { Refusal, Unreached, get, post } from "./api.js";
import { $, act, busy, clone, fill, say, show, view } from "./dom.js";
import { keepFocus, quietly } from "./focus.js";
import { online } from "./net.js";
import { refuse } from "./refusal.js";
import { recall, remember } from "./shelf.js";
import { signal } from "./signals.js";
import { state, unlock } from "./state.js";
import { moment, t } from "./words.js";

const SHORTEST = 4;
const UNPROVEN_FOR = 15 * 60000;
let people = null;

// Names are kept per till page, so that two stores on one device do not mix.
const PEOPLE = () => `people:${window.location.pathname}`;

const initial = (name) => [...name][0]?.toUpperCase() ?? "";

// Show the names; `note` says why they are asked for.
export async function askWho(note = "") {
  const root = show("people", fill(clone("people"), { note }));
  act(root, "again", () => askWho(note));
  if (people) list(root);
  try {
    const answer = await get("staff");
    people = answer.results ?? answer;
    remember(PEOPLE(), people.map(({ id, name, pin_digits }) => ({ id, name, pin_digits })));
    if (root.isConnected) list(root);
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) throw error;
    people ??= await recall(PEOPLE());
    if (people && root.isConnected) list(root);
    else if (root.isConnected) $("[data-part=lost]", root).hidden = false;
  }
}

function list(root) {
  const tiles = people.map((person) => {
    const tile = fill(clone("person"), { name: person.name, initial: initial(person.name) });
    $("button", tile).addEventListener("click", () => (online() ? askPin(person) : goOnUnproven(person)));
    return tile;
  });
  const at = [...root.querySelectorAll("button.person")].indexOf(document.activeElement);
  $("[data-list=people]", root).replaceChildren(...tiles);
  if (at >= 0) root.querySelectorAll("button.person")[at]?.focus();
  $("[data-part=nobody]", root).hidden = people.length > 0;
  $("[data-part=lost]", root).hidden = true;
}

// Without a connection nobody can check a PIN, so none is asked for: what is given waits for a manager.
function goOnUnproven(person) {
  refuse({ tone: "net", title: t("unproven_title"), text: t("unproven_text", { name: person.name }) }, [
    { label: t("unproven_go", { name: person.name }), test: "unproven", run: () => unlock({
      id: person.id, name: person.name, token: null, unproven: true, expiresAt: Date.now() + UNPROVEN_FOR,
    }) },
    { label: t("unproven_back"), run: () => askWho() },
  ]);
}

// The PIN of who is at the till already, for one operation: `use` gets it, `back` leaves it, `note` says why.
export function askAfresh(note, use, back) {
  const root = askPin(state.staff, {
    back,
    check: (input) => {
      const pin = input.value;
      input.value = "";
      if (pin.length < SHORTEST) wrong(root, t("pin_short"));
      else use(pin);
    },
  });
  explainWrong(root, note);
  say(note, { now: true });
}

function askPin(person, { check = null, back = askWho } = {}) {
  const root = fill(clone("pin"), { name: person.name });
  const input = $("input", root);
  show("pin", root);
  quietly(input);
  keepFocus($(".pad", root));
  act(root, "back", () => back());
  root.querySelectorAll("button[data-key]").forEach((key) => key.addEventListener("click", () => press(root, key.dataset.key)));
  input.addEventListener("input", () => {
    input.value = input.value.replace(/\D/g, "").slice(0, 8);
    explainWrong(root, "");
    if (person.pin_digits && input.value.length === person.pin_digits) root.requestSubmit();
  });
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    if (check) check(input);
    else verify(root, person);
  });
  return root;
}

function press(root, key) {
  const input = $("input", root);
  if (key === "ok") return;
  input.value = key === "back" ? input.value.slice(0, -1) : input.value + key;
  input.dispatchEvent(new Event("input"));
  say(t("pin_digits", { count: input.value.length }));
}

// Digits typed while the focus is elsewhere in the pad still count.
export function typeInto(event) {
  const root = $(".pin-view");
  if (view() !== "pin" || !root || event.target === $("input", root)) return false;
  if (/^\d$/.test(event.key)) press(root, event.key);
  else if (event.key === "Backspace") press(root, "back");
  else return false;
  return true;
}

async function verify(root, person) {
  const input = $("input", root);
  const pin = input.value;
  if (root.dataset.checking) return;
  if (pin.length < SHORTEST) {
    wrong(root, t("pin_short"));
    return;
  }
  const ok = $("[data-key=ok]", root);
  root.dataset.checking = "yes";
  busy(ok, true);
  try {
    const answer = await post("pins/verify", { staff_id: person.id, staff_pin: pin });
    input.value = "";
    unlock({ ...person, token: answer.staff_session, expiresAt: new Date(answer.expires_at).getTime() });
  } catch (error) {
    input.value = "";
    if (error instanceof Unreached && !navigator.onLine) goOnUnproven(person);
    else wrong(root, explain(error));
  } finally {
    delete root.dataset.checking;
    busy(ok, false);
  }
}

export function explain(error) {
  if (!(error instanceof Refusal)) return t("offline_title");
  if (error.code === "staff_pin_locked") return t("pin_locked", { time: moment(error.facts.locked_until) });
  const left = error.facts.attempts_remaining;
  if (left === 0) return t("wrong_pin_last");
  if (error.code === "staff_pin_invalid") return Number.isInteger(left) ? t("wrong_pin_left", { count: left }) : t("wrong_pin");
  return error.detail || t("refused_title");
}

// The line keeps its place when it is empty, so that no key moves under a finger.
function explainWrong(root, text) {
  $("#pin-error > span", root).textContent = text;
}

function wrong(root, text) {
  explainWrong(root, text);
  say(text, { now: true });
  signal("refused");
  const input = $("input", root);
  input.classList.remove("shake");
  void input.offsetWidth;
  input.classList.add("shake");
  quietly(input);
}

// The chip in the bar: who is there, and the way to lock.
export function showPerson(chip) {
  chip.hidden = !state.staff;
  if (!state.staff) return;
  const { name } = state.staff;
  fill(chip, { name, initial: initial(name), label: t("lock_person", { name }) });
}
