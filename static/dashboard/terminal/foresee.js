// What the till knows before the server answers: whether a tap will be accepted, and what it brings.

import { online } from "./net.js";
import { state } from "./state.js";
import { t } from "./words.js";

const ASKED_AGAIN_FOR = 10500; // ms: the same again on the same card is asked about (loyalty.services.operations)
const SPARE = 5000; // ms that a PIN session must last beyond the tap

const lately = new Map(); // card id → {what, at}: the newest of what this till gave

const what = (op, staff) => [op.op, op.body.quantity ?? op.body.purchase_amount_cents, staff?.id].join(" ");

// Note what the server has; `null` when it was taken back.
export function note(card, op, staff) {
  if (op) lately.set(card.id, { what: what(op, staff), at: Date.now() });
  else lately.delete(card.id);
}

function isRepeated(op) {
  const last = lately.get(op.card.id);
  return Boolean(last && last.what === what(op, state.staff) && Date.now() - last.at < ASKED_AGAIN_FOR);
}

// Nothing that the till can see speaks against it: the connection, the PIN session, the same thing just booked.
export function isCertain(op, { confirm = false, typed = false } = {}) {
  if (!online() || (isRepeated(op) && !confirm)) return false;
  const { staff } = state;
  if (!staff) return !state.needsPin;
  return typed || Boolean(staff.token && staff.expiresAt - Date.now() > SPARE);
}

// The words of stamps, from the server's answer or from what it will be.
export function stampWords(card, answer) {
  const { stamp_count: count, stamps_target: target, reward_earned: earned } = answer;
  const left = answer.stamps_until_reward ?? target - count;
  const given = t("stamps_given", { count: answer.stamps_added, name: card.label });
  const full = earned && (count === 0 || count === target);
  return {
    figure: t("count_of", { count: full ? target : count, target }),
    sentence: full ? t("card_full", { name: card.label }) : [given, left > 0 && t("to_go", { count: left })].filter(Boolean).join(" · "),
    reward: earned && answer.reward_description ? t("reward_ready", { name: answer.reward_description }) : null,
    rings: Boolean(earned),
  };
}

// The words of `quantity` stamps before they are given; null when the sheet says that they will not be, or may not.
export function stampsAhead(card, quantity) {
  const count = card.stamp_count + quantity;
  const may = card.can?.stamp;
  if (!may?.allowed || count > card.stamps_target || quantity > (may.remaining_today ?? quantity)) return null;
  return stampWords(card, {
    stamps_added: quantity, stamp_count: count, stamps_target: card.stamps_target, reward_earned: count === card.stamps_target,
  });
}

export function saleWords(card, answer) {
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

// The words of a purchase from the preview of exactly its amount; null while there is none.
export const saleAhead = (card, outlook) => (outlook && card.can?.earn_points?.allowed ? saleWords(card, outlook) : null);
