// The till: puts the parts together.

import * as api from "./api.js";
import * as camera from "./camera.js";
import { $, fill, say, view } from "./dom.js";
import * as done from "./done.js";
import * as flow from "./flow.js";
import { quietly } from "./focus.js";
import * as history from "./history.js";
import * as kept from "./kept.js";
import * as keys from "./keys.js";
import * as net from "./net.js";
import { newCard } from "./newcard.js";
import { scanOf } from "./operations.js";
import * as pin from "./pin.js";
import * as queue from "./queue.js";
import { isArriving, refuse, words } from "./refusal.js";
import { fieldSource, read, wedgeSource } from "./scan.js";
import * as sheet from "./sheet.js";
import * as shell from "./shell.js";
import * as signals from "./signals.js";
import { lock, locked, on, setUp as setUpState, state, touch } from "./state.js";
import { setUp as setUpWords, t } from "./words.js";

const root = document.getElementById("till");
const main = document.getElementById("main");
const field = document.getElementById("scan-input");
const form = document.getElementById("scan");
const person = document.getElementById("person");
const OK = "OK";
const SLOW = 300;
const LOOKUP_PATIENCE = 6000; // then the card opens without being shown
let latest = 0;

for (const module of [api, history]) module.setUp(root);
setUpWords(root);
setUpState(root);
signals.setUp(root);

function signedOut() {
  if (queue.now().count) {
    queue.send().finally(kept.open);
    return;
  }
  refuse({ tone: "alert", title: t("signed_out_title"), text: t("signed_out_text") }, [
    { label: t("pair_again"), run: () => window.location.assign(root.dataset.pairUrl) },
  ]);
}

async function askWho(note) {
  try {
    await pin.askWho(note);
  } catch {
    signedOut();
  }
}

// Between two cards; without a person at the till the names come back.
function rest() {
  if (locked()) askWho();
  else done.idle();
}

// After a "no": the card that was scanned while it was on its way, else `otherwise`.
function next(otherwise) {
  if (state.parked) find(state.parked);
  else otherwise();
}

function close() {
  latest += 1;
  state.card = null;
  field.value = "";
  next(rest);
}

function park(scan) {
  state.parked = scan;
  fill($("#sheet"), { waits: t("next_waits") });
  say(t("next_waits"));
}

// Look up what was scanned or typed, and open it.
async function find(scan) {
  touch();
  state.parked = null;
  if (locked()) {
    state.waiting = scan;
    if (view() === "pin") say(t("card_waits"));
    else askWho(t("card_waits"));
    return;
  }
  latest += 1;
  const mine = latest;
  const slow = setTimeout(() => { main.dataset.loading = "yes"; }, SLOW);
  try {
    let refused = isArriving();
    while (state.sending) refused = await state.sending;
    if (mine !== latest) return;
    if (refused) {
      park(scan);
      return;
    }
    if (!net.online() && scan.kind !== "query") {
      unknown(scan);
      return;
    }
    const answer = await api.post("cards/lookup", { [scan.kind]: scan.value }, { patience: LOOKUP_PATIENCE });
    // A slow answer must not open its card over one that was scanned since.
    if (mine !== latest) return;
    field.value = "";
    show(answer);
  } catch (error) {
    if (mine === latest) notFound(error, scan);
  } finally {
    clearTimeout(slow);
    delete main.dataset.loading;
  }
}

// Without a connection the card is known by what was read of it.
function unknown(scan) {
  if (locked()) return;
  field.value = "";
  sheet.openUnknown(scan);
}

const away = (error) => error instanceof api.Unreached || error.status === 503;

function show(answer) {
  if (locked()) return;
  const found = answer.results;
  if (!found) sheet.openCard(answer);
  else if (found.length === 1) find({ kind: "card_number", value: found[0].card_number });
  else if (found.length) sheet.choose(found, (card) => find({ kind: "card_number", value: card.card_number }));
  else throw new api.Refusal(404, { code: "not_found" });
}

function notFound(error, scan) {
  if (error instanceof api.Refusal && error.status === 401) {
    signedOut();
    return;
  }
  if (error instanceof api.Refusal && error.code.startsWith("staff_pin")) {
    flow.askAgain(() => find(scan));
    return;
  }
  if (away(error) && scan.kind !== "query") {
    unknown(scan);
    return;
  }
  const again = { label: t("try_again"), run: () => next(() => find(scan)) };
  const ok = { label: OK, run: () => next(() => { close(); field.value = scan.kind === "query" ? scan.value : ""; field.select(); }) };
  if (error instanceof api.Refusal) refuse(words(error), [ok]);
  else refuse({ ...words(error), text: t(net.online() ? "lookup_lost" : "search_offline") }, [again, ok]);
}

function showHistory(card, correcting) {
  const back = () => find(scanOf(card));
  const taken = (undone) => {
    say(undone);
    back();
  };
  history.history(card, { correcting, back, denied: flow.askAgain, afresh: (op) => flow.takeBack(op, taken) });
}

function openNewCard() {
  if (locked()) {
    state.resume = openNewCard;
    askWho();
    return;
  }
  newCard({ close, made: (card) => find({ kind: "card_number", value: card.card_number }) });
}

flow.setUp({ find, next, close, signedOut, ok: OK });
sheet.setUp({ close, history: showHistory });
done.setUp({ undo: flow.undo, rest, reopen: (card) => find(scanOf(card)) });
kept.setUp({ close, pairUrl: root.dataset.pairUrl, discardUrl: root.dataset.discardUrl });

on("unlocked", () => {
  pin.showPerson(person);
  say(t("hello", { name: state.staff.name }));
  const { resume, waiting } = state;
  state.resume = null;
  state.waiting = null;
  if (resume) resume();
  else if (waiting) find(waiting);
  else done.idle();
  camera.open();
});
on("locked", (why) => {
  camera.close();
  pin.showPerson(person);
  state.resume = null;
  state.waiting = null;
  state.parked = null;
  document.querySelector("dialog[open]")?.close();
  field.value = "";
  askWho(why ? t(why) : "");
});
on("locks-in", (seconds) => {
  const note = $("#locks-in");
  note.hidden = seconds === null;
  if (seconds !== null) note.textContent = t("locks_in", { count: seconds });
});

const wedge = wedgeSource(field);
// With the camera off the number is the way in.
const eye = camera.cameraSource(root, { onFault: () => { if (["idle", "people"].includes(view()) && !locked()) quietly(field); } });
for (const source of [fieldSource(form, field), wedge, eye]) source.start(find);

keys.setUp({
  field,
  wedge,
  commands: {
    undo: done.takeBack,
    lock: () => lock(),
    help: () => document.getElementById("till-help").showModal(),
    give: sheet.give,
    close: () => { if (view() !== "people") close(); },
    type: (event) => (view() === "pin" ? pin.typeInto(event) : sheet.typeAmount(event)),
  },
});

document.addEventListener("paste", (event) => {
  if (event.target instanceof HTMLInputElement) return;
  sheet.pasteAmount(event.clipboardData.getData("text"));
});
$("button", person).addEventListener("click", () => lock());
document.getElementById("new-card").addEventListener("click", openNewCard);
// Who went on without a PIN types it as soon as one can be checked.
document.addEventListener("till:reached", () => { if (state.staff?.unproven && view() === "idle") lock("locked_online"); });
net.setUp();

// A card's address that was opened on this till: it stands in the address until it is read.
const asked = new URLSearchParams(window.location.search).get("code");
const first = asked && read(asked);
if (asked) window.history.replaceState(null, "", window.location.pathname);

if (first) find(first);
else if (locked()) askWho().then(() => { if (!document.activeElement?.closest(".people")) quietly(field); });
else done.idle();
main.dataset.ready = "yes";

// After the page works: what waits is sent, the app is kept for a day without a network, the camera opens.
if (!locked()) camera.open();
queue.setUp(root).then(() => {
  if (queue.held().length) kept.open();
  else queue.send();
});
shell.setUp(root);
