// Doing something to a card: send it, show success at once, correct it when the server says no.

import { Refusal, Unreached, isOpen } from "./api.js";
import { busy, say, view } from "./dom.js";
import { idle, settle, succeed, withdraw } from "./done.js";
import { isCertain, note, saleAhead, saleWords, stampsAhead, stampWords } from "./foresee.js";
import { operation, scanOf, send } from "./operations.js";
import { refuse, words } from "./refusal.js";
import * as pin from "./pin.js";
import * as queue from "./queue.js";
import { lock, locked, state } from "./state.js";
import { amount, moment, t } from "./words.js";

const PATIENCE = 6000; // ms: then what may wait is saved

let handlers = {};

export function setUp(given) {
  handlers = given;
}

// Follow what is on its way. A card scanned meanwhile waits for its end, and behind a "no" that stands on the sheet.
function follow(going) {
  const sending = going.catch(() => false).then((refused) => {
    if (state.sending === sending) state.sending = null;
    if (!refused && state.parked) handlers.find(state.parked);
    return refused;
  });
  state.sending = sending;
  return going;
}

const run = async (op, how) => follow(attempt(op, how));

// Send `op`; returns whether a "no" stands on the sheet. `built(answer)` makes the words of success; `ahead` are these words
// as the till foresees them, shown at the tap where nothing speaks against it; `kept` are those for an operation that may
// wait for the connection.
async function attempt(op, { built, ahead = null, kept = null, button = null, confirm = false, pin: typed = "" }) {
  const again = (more = {}) => run(op, { built, ahead, kept, confirm, ...more });
  const { staff } = state;
  if (button) {
    if (button.hasAttribute("aria-busy")) return false;
    busy(button, true);
  }
  const { key } = op;
  const sent = send(op, { confirm, pin: typed, patience: kept ? PATIENCE : undefined });
  const saved = kept && sent.catch((error) => save(op, error, staff));
  const early = ahead && isCertain(op, { confirm, typed: Boolean(typed) });
  const finish = early ? settle : succeed;
  if (early) succeed({ ...ahead, card: op.card, key, undoable: state.canVoid });
  try {
    const answer = await sent;
    note(op.card, op.op.startsWith("redeem") ? null : op, staff);
    finish({ key, ...built(answer) });
    return false;
  } catch (error) {
    const seq = saved && await saved.catch(() => null);
    if (seq) finish({ key, card: op.card, ...kept, kept: seq, undoable: sure(error) });
    if (seq || (early && retract(key, error))) return false;
    failed(op, error, again, Boolean(typed));
    return true;
  } finally {
    if (button) busy(button, false);
  }
}

// The sheet still shows what became of the last operation, and nothing that was opened since.
const isOurs = () => !locked() && ["done", "idle", "pin", "refusal"].includes(view());

// The server said no to what the sheet showed. True when that was wanted: undo was tapped meanwhile.
function retract(key, error) {
  const asked = withdraw(key);
  if (!asked || isOpen(error) || !(error instanceof Refusal) || error.status === 401) return false;
  if (isOurs()) idle({ undone: t("nothing_given") });
  say(t("nothing_given"), { now: true });
  return true;
}

// Certain that the server did nothing.
const sure = (error) => error instanceof Unreached && !error.sent;

// Keep what did not get through; raises what is no matter of the connection.
function save(op, error, staff) {
  if (isOpen(error) || error.status === 503) return queue.keep(op, staff, !sure(error));
  throw error;
}

export function redeemNeedsConnection(back) {
  refuse({ tone: "net", title: t("redeem_offline_title"), text: t("redeem_offline") }, [
    { label: handlers.ok, run: () => handlers.next(back) },
  ]);
}

// A refusal of `op`; `again` sends the very same operation once more, under the same key. `typed`: with a PIN of its own.
function failed(op, error, again, typed = false) {
  const backToCard = () => handlers.next(() => handlers.find(scanOf(op.card)));
  if (op.op.startsWith("redeem") && sure(error)) {
    redeemNeedsConnection(backToCard);
    return;
  }
  if (isOpen(error)) {
    refuse(words(error), [{ label: t("try_again"), run: () => again() }, { label: handlers.ok, run: handlers.close }]);
    return;
  }
  if (!(error instanceof Refusal)) throw error;
  if (error.status === 401) {
    handlers.signedOut();
    return;
  }
  if (state.staff && (error.facts.fresh || (typed && error.code.startsWith("staff_pin")))) {
    const note = error.facts.fresh ? t("pin_again") : pin.explain(error);
    pin.askAfresh(note, (found) => again({ pin: found }), backToCard);
    return;
  }
  if (error.code.startsWith("staff_pin")) {
    askAgain(() => again());
    return;
  }
  if (error.code === "duplicate_suspected") {
    const at = error.facts.last_at;
    const title = at ? t("duplicate_title", { time: moment(at) }) : t("duplicate_now");
    refuse({ tone: "time", title, text: t("duplicate_text"), safe: t("nothing_given") }, [
      { label: t("once_more"), run: () => again({ confirm: true }), test: "confirm" },
      { label: t("leave_it"), run: backToCard },
    ]);
    return;
  }
  refuse(words(error), [{ label: handlers.ok, run: op.op === "void" ? handlers.close : backToCard }]);
}

// The PIN session is over: ask for the PIN, then go on with what was wanted.
export function askAgain(then) {
  state.needsPin = true;
  lock();
  state.resume = then;
}

// Without `void_until` the platform allows no undo, so no ring is shown.
const common = (card, answer) => ({ card, transactionId: answer.transaction_id, undoable: answer.void_until !== null });

export function giveStamps(card, quantity, button) {
  const built = (answer) => ({ ...common(card, answer), ...stampWords(card, answer) });
  const kept = { figure: t("kept_stamps", { count: quantity }), sentence: t("kept_for", { name: card.label }) };
  return run(operation("stamp", card, { quantity }), { built, ahead: stampsAhead(card, quantity), kept, button });
}

export function sell(card, cents, outlook, button) {
  const built = (answer) => ({ ...common(card, answer), ...saleWords(card, answer) });
  const kept = { figure: t("kept_sale", { amount: amount(cents) }), sentence: t("kept_for", { name: card.label }) };
  return run(operation("points", card, { purchase_amount_cents: cents }), { built, ahead: saleAhead(card, outlook), kept, button });
}

export function redeem(card, reward, button) {
  const points = reward.source === "points";
  const op = points
    ? operation("redeem_points", card, { reward_id: reward.reward_id ?? reward.id })
    : operation("redeem_stamps", card);
  const built = (answer) => ({
    ...common(card, answer),
    gift: true,
    figure: answer.reward?.name ?? answer.reward_description ?? reward.name,
    sentence: t("handed_out", { name: card.label }),
  });
  return run(op, { built, button });
}

// Take the last success back.
export async function undo(last) {
  if (last.kept) {
    const out = await queue.takeOut(last.kept);
    if (state.last?.kept === last.kept) state.last = null;
    tellUndone(out ? t("undone", { name: last.card.label }) : t("kept_gone"));
    return null;
  }
  const op = operation("void", last.card, { reason: t("undo_reason") }, last.transactionId);
  return takeBack(op, tellUndone);
}

// Said in any case; what was opened since stays on the sheet.
function tellUndone(undone) {
  if (isOurs()) idle({ undone });
  say(undone);
}

// Take something back; `then` gets the words for it.
export async function takeBack(op, then) {
  const forget = () => { if (state.last?.transactionId === op.target) state.last = null; };
  const voiding = async (more) => {
    try {
      await send(op, more);
    } catch (error) {
      forget();
      failed(op, error, again, Boolean(more.pin));
      return true;
    }
    note(op.card, null);
    forget();
    then(t("undone", { name: op.card.label }));
    return false;
  };
  const again = async (more = {}) => follow(voiding(more));
  await again();
}
