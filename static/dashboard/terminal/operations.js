// What a till does to a card, as plain data: it can be sent now, sent again with the same key, or kept for later.

import { newKey, post } from "./api.js";
import { state } from "./state.js";

const PATHS = {
  stamp: () => "stamp",
  points: () => "points",
  redeem_stamps: () => "stamp/redeem",
  redeem_points: () => "points/redeem",
  void: (operation) => `transactions/${operation.target}/void`,
};

// What to look a card up by; one that was scanned without a connection is known by its code or number only.
export const scanOf = (card) => (card.card_number
  ? { kind: "card_number", value: card.card_number }
  : { kind: "qr_code", value: card.ref.qr_code });

// `fields` is the body without who does it; `card` rides along for the words on the screen.
export function operation(op, card, fields = {}, target = null) {
  const body = op === "void" ? fields : { ...(card.id ? { card_id: card.id } : card.ref), ...fields };
  return { key: newKey(), op, target, body, card, made_at: new Date().toISOString() };
}

// Send an operation; the key stays the same however often it is sent, so it counts once. `pin` was typed for it alone.
export function send(op, { confirm = false, pin = "", patience } = {}) {
  const body = { ...op.body };
  if (state.staff && pin) Object.assign(body, { staff_id: state.staff.id, staff_pin: pin });
  else if (state.staff?.token) body.staff_session = state.staff.token;
  if (confirm) body.confirm = true;
  return post(PATHS[op.op](op), body, { key: op.key, patience });
}

// What an operation would give, without giving it.
export function preview(op, card, fields, signal) {
  return post("preview", { op, card_id: card.id, ...fields }, { signal });
}

// Whether staff can take a ledger row back from here, now.
export function undoableUntil(row, windowMinutes) {
  const kinds = ["stamp_earned", "points_earned", "stamp_redeemed", "points_redeemed"];
  if (!kinds.includes(row.type) || row.reversed_by || row.reverses) return null;
  const until = row.void_until ?? new Date(new Date(row.occurred_at).getTime() + windowMinutes * 60000).toISOString();
  return new Date(until) > new Date() ? until : null;
}
