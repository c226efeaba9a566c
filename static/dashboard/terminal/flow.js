// Doing something to a card: send it, show success at once, correct it when the server says no.

import { Refusal, Unreached } from "./api.js";
import { busy, say } from "./dom.js";
import { idle, settle, succeed } from "./done.js";
import { online } from "./net.js";
import { operation, scanOf, send } from "./operations.js";
import { refuse, words } from "./refusal.js";
import * as pin from "./pin.js";
import * as queue from "./queue.js";
import { lock, state } from "./state.js";
import { amount, moment, t } from "./words.js";

const PATIENCE = 80; // ms before success is shown ahead of the answer

let handlers = {};

export function setUp(given) {
  handlers = given;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Send `op`. `built(answer)` makes the words of success; `expected` are these words when they are already certain;
// `kept` are those for an operation that may wait for the connection.
async function run(op, { built, expected = null, kept = null, button = null, confirm = false, pin: typed = "" }) {
  const again = (more = {}) => run(op, { built, expected, kept, confirm, ...more });
  const { staff } = state;
  if (button) {
    if (button.hasAttribute("aria-busy")) return;
    busy(button, true);
  }
  const sent = send(op, { confirm, pin: typed });
  const saved = kept && sent.catch((error) => save(op, error, staff));
  state.sending = (saved || sent).catch(() => {});
  let early = false;
  try {
    if (expected) {
      const answered = sent.then(() => true, () => true);
      if (!(await Promise.race([answered, pause(PATIENCE)]))) {
        early = true;
        succeed(expected);
      }
    }
    const last = built(await sent);
    if (early) settle(last);
    else succeed(last);
  } catch (error) {
    const seq = saved && await saved.catch(() => null);
    if (seq) {
      const last = { card: op.card, ...kept, kept: seq, undoable: sure(error) };
      if (early) settle(last);
      else succeed(last);
      return;
    }
    if (early) state.last = null;
    failed(op, error, again, Boolean(typed));
  } finally {
    state.sending = null;
    if (button) busy(button, false);
  }
}

// Certain that the server did nothing.
const sure = (error) => error instanceof Unreached && !error.sent;

// Keep what did not get through; raises what is no matter of the connection.
function save(op, error, staff) {
  if (error instanceof Unreached || error.status === 503) return queue.keep(op, staff, !sure(error));
  throw error;
}

export function redeemNeedsConnection(back) {
  refuse({ tone: "net", title: t("redeem_offline_title"), text: t("redeem_offline") }, [{ label: handlers.ok, run: back }]);
}

// A refusal of `op`; `again` sends the very same operation once more, under the same key. `typed`: with a PIN of its own.
function failed(op, error, again, typed = false) {
  const backToCard = () => handlers.find(scanOf(op.card));
  if (op.op.startsWith("redeem") && sure(error)) {
    redeemNeedsConnection(backToCard);
    return;
  }
  if (error instanceof Unreached) {
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

function stampWords(card, answer) {
  const { stamp_count: count, stamps_target: target, reward_earned: earned } = answer;
  const left = answer.stamps_until_reward ?? target - count;
  const given = t("stamps_given", { count: answer.stamps_added, name: card.label });
  const full = earned && count === 0;
  return {
    figure: t("count_of", { count: full ? target : count, target }),
    sentence: full ? t("card_full", { name: card.label }) : [given, left > 0 && t("to_go", { count: left })].filter(Boolean).join(" · "),
    reward: earned ? t("reward_ready", { name: answer.reward_description }) : null,
  };
}

export function giveStamps(card, quantity, button) {
  const certain = card.can?.stamp?.allowed && card.stamp_count + quantity < card.stamps_target;
  const built = (answer) => ({ ...common(card, answer), ...stampWords(card, answer) });
  const expected = certain && {
    card,
    ...stampWords(card, {
      stamps_added: quantity, stamp_count: card.stamp_count + quantity, stamps_target: card.stamps_target, reward_earned: false,
    }),
  };
  const kept = { figure: t("kept_stamps", { count: quantity }), sentence: t("kept_for", { name: card.label }) };
  return run(operation("stamp", card, { quantity }), { built, expected: online() && expected, kept, button });
}

function saleWords(card, answer) {
  const bonus = answer.welcome_bonus_points;
  const stamp = answer.stamp?.given ? answer.stamp : null;
  const parts = [
    t("points_given", { name: card.label, balance: t("points", { count: answer.points_balance }) }),
    bonus && t("welcome_bonus", { count: bonus }),
    stamp && t("stamps_now", { count: stamp.stamp_count, target: stamp.stamps_target }),
  ];
  return {
    figure: t("points_plus", { count: answer.points_earned }),
    sentence: parts.filter(Boolean).join(" · "),
    reward: stamp?.reward_earned ? t("reward_ready", { name: stamp.reward_description }) : null,
  };
}

export function sell(card, cents, outlook, button) {
  const built = (answer) => ({ ...common(card, answer), ...saleWords(card, answer) });
  const certain = outlook && card.can?.earn_points?.allowed && !outlook.stamp?.reward_earned;
  const expected = certain ? { card, ...saleWords(card, outlook) } : null;
  const kept = { figure: t("kept_sale", { amount: amount(cents) }), sentence: t("kept_for", { name: card.label }) };
  return run(operation("points", card, { purchase_amount_cents: cents }), { built, expected, kept, button });
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
    const words = out ? t("undone", { name: last.card.label }) : t("kept_gone");
    state.last = null;
    idle({ undone: words });
    say(words);
    return null;
  }
  const op = operation("void", last.card, { reason: t("undo_reason") }, last.transactionId);
  return takeBack(op, (undone) => {
    idle({ undone });
    say(undone);
  });
}

// Take something back; `then` gets the words for it.
export async function takeBack(op, then) {
  const attempt = async (more = {}) => {
    try {
      await send(op, more);
      state.last = null;
      then(t("undone", { name: op.card.label }));
    } catch (error) {
      state.last = null;
      failed(op, error, attempt, Boolean(more.pin));
    }
  };
  await attempt();
}
