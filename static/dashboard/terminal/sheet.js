// The card sheet: what lies on the counter, and the one thing to do with it.

import { AmountPad, stampNote } from "./amount.js";
import { $, act, busy, clone, fill, say, show, tray } from "./dom.js";
import { forget } from "./done.js";
import { giveStamps, redeem, redeemNeedsConnection, sell } from "./flow.js";
import { keepFocus } from "./focus.js";
import { online } from "./net.js";
import { reason } from "./refusal.js";
import { state } from "./state.js";
import { amount, day, t } from "./words.js";

const MOST_STAMPS = 50;

let pad = null;
let handlers = {};

export function setUp(given) {
  handlers = given;
}

// What staff call a card: the masked name, else its last digits.
export function label(card) {
  return card.customer?.name || (card.card_number ? `${t("card")} •• ${card.card_number.slice(-4)}` : t("card"));
}

const counts = (card) => ({
  stamps: card.program.loyalty_type !== "points",
  points: card.program.loyalty_type !== "stamps",
});

// Open the sheet of a card as the look-up answered it.
export function openCard(card) {
  forget();
  card.label = label(card);
  state.card = card;
  pad = null;
  const root = clone("card");
  root.dataset.cardNumber = card.card_number;
  root.classList.toggle("sells", counts(card).points);
  root.classList.toggle("both", counts(card).points && counts(card).stamps);
  fill(root, {
    name: card.customer?.name || t("card"),
    last4: `•• ${card.card_number.slice(-4)}`,
    visit: card.last_activity_at ? t("last_visit", { day: day(card.last_activity_at) }) : t("first_visit"),
  });
  drawProgress(root, card);
  drawRewards(root, card);
  drawGiving(root, card);
  act(root, "close", handlers.close);
  act(root, "history", () => handlers.history(card, false));
  act(root, "correct", () => handlers.history(card, true));
  show("card", root);
  say([card.label, progressWords(card)].join(". "));
}

// The sheet of a card that cannot be looked up now: what is given is saved under its number or its code.
export function openUnknown(scan) {
  forget();
  const number = scan.kind === "card_number" ? scan.value : "";
  const card = {
    id: null, card_number: number, ref: { [scan.kind]: scan.value }, stamps_target: 0, stamp_count: 0,
    program: { loyalty_type: state.loyaltyType }, can: null,
  };
  card.label = label(card);
  state.card = card;
  pad = null;
  const root = clone("card");
  root.dataset.cardNumber = number;
  root.classList.add("unknown");
  fill(root, { name: t("card"), last4: number ? grouped(number) : null, visit: t("unknown_card") });
  for (const part of [".progress-row", ".tools"]) $(part, root).remove();
  const redeeming = clone("offline-redeem");
  redeeming.addEventListener("click", () => redeemNeedsConnection(() => openUnknown(scan)));
  $("[data-list=rewards]", root).replaceChildren(redeeming);
  drawGiving(root, card);
  if (number && !plausible(number)) fill(root, { why: t("number_mistyped") });
  act(root, "close", handlers.close);
  show("card", root);
  say([card.label, t("unknown_card")].join(". "));
}

const grouped = (number) => number.replace(/(\d{4})(?=\d)/g, "$1 ");

// The last digit of a card's number is a check digit (Luhn).
function plausible(number) {
  const sum = [...number].reverse().reduce((total, digit, at) => {
    const worth = Number(digit) * (at % 2 ? 2 : 1);
    return total + (worth > 9 ? worth - 9 : worth);
  }, 0);
  return sum % 10 === 0;
}

function progressWords(card) {
  const { stamps, points } = counts(card);
  return [
    stamps && t("count_of", { count: card.stamp_count, target: card.stamps_target }),
    points && t("points", { count: card.points_balance }),
  ].filter(Boolean).join(", ");
}

function drawProgress(root, card) {
  const { stamps, points } = counts(card);
  $("[data-part=stamps]", root).hidden = !stamps;
  $("[data-part=points]", root).hidden = !points;
  if (stamps) {
    const left = card.stamps_until_reward ?? card.stamps_target - card.stamp_count;
    fill(root, {
      count: t("count_of", { count: card.stamp_count, target: card.stamps_target }),
      to_go: left > 0 ? t("to_go", { count: left }) : t("full"),
    });
    tray($("[data-list=tray]", root), { count: card.stamp_count, target: card.stamps_target, seed: card.id });
  }
  if (points) {
    const next = card.points_debt ? t("debt", { count: card.points_debt })
      : card.to_next_point_cents ? t("to_next", { amount: amount(card.to_next_point_cents) }) : null;
    fill(root, { points: t("points", { count: card.points_balance }), to_next: next });
  }
}

// Rewards that can be handed out: one line per full-card reward of a name (with how many), one per points reward.
function ready(card) {
  const byName = new Map();
  const lines = [];
  for (const reward of card.rewards ?? []) {
    if (reward.source === "points") lines.push({ ...reward, many: 1 });
    else if (reward.state === "issued" && byName.has(reward.name)) byName.get(reward.name).many += 1;
    else if (reward.state === "issued") byName.set(reward.name, { ...reward, many: 1 });
  }
  return [...byName.values(), ...lines];
}

function rewardWords(reward) {
  const title = reward.many > 1 ? t("times", { count: reward.many, name: reward.name }) : reward.name;
  let note = null;
  if (reward.expires_at) note = t("valid_until", { day: day(reward.expires_at) });
  else if (reward.source === "points" && reward.points_cost) note = t("for_points", { count: reward.points_cost });
  else if (reward.issued_at) note = t("issued", { day: day(reward.issued_at) });
  return { title, note };
}

function drawRewards(root, card) {
  const lines = ready(card).map((reward) => {
    const line = fill(clone("reward"), rewardWords(reward));
    line.addEventListener("click", () => confirmRedeem(card, reward));
    return line;
  });
  $("[data-list=rewards]", root).replaceChildren(...lines);
  root.classList.toggle("many-rewards", lines.length > 1);
}

// The second tap of a redemption: what exactly is handed out.
function confirmRedeem(card, reward) {
  if (!online()) {
    redeemNeedsConnection(() => openCard(card));
    return;
  }
  const root = fill(clone("redeem"), { ...rewardWords({ ...reward, many: 1 }), who: card.label });
  act(root, "close", handlers.close);
  act(root, "back", () => openCard(card));
  act(root, "hand-out", (_, button) => redeem(card, reward, button));
  show("redeem", root);
}

function drawGiving(root, card) {
  const { points } = counts(card);
  const can = (points ? card.can?.earn_points : card.can?.stamp) ?? { allowed: true };
  const give = $("[data-act=give]", root);
  const left = points || !can.allowed ? null : can.remaining_today;
  fill(root, { why: can.allowed ? null : reason(can), left: Number.isInteger(left) ? t("left_today", { count: left }) : null });
  // What is not possible now steps back: outlined, with the reason over it; the server has the last word.
  give.classList.toggle("btn-fill", can.allowed);
  give.classList.toggle("btn-line", !can.allowed);
  if (points) {
    $("[data-part=stepper]", root).remove();
    drawAmount(root, card, give, can);
  } else drawStepper(root, card, give);
}

function drawStepper(root, card, give) {
  let quantity = 1;
  const most = Math.max(Math.min(card.can?.stamp?.remaining_today ?? MOST_STAMPS, MOST_STAMPS), 1);
  const draw = () => fill(root, { quantity, give: t("give_stamps", { count: quantity }) });
  const step = (by) => {
    quantity = Math.min(Math.max(quantity + by, 1), most);
    draw();
    say(t("give_stamps", { count: quantity }));
  };
  keepFocus($("[data-part=stepper]", root));
  act(root, "fewer", () => step(-1));
  act(root, "more", () => step(1));
  act(root, "give", () => giveStamps(card, quantity, give));
  draw();
}

function drawAmount(root, card, give, can) {
  const own = new AmountPad(card, draw);
  pad = own;
  $("[data-part=amount]", root).replaceChildren(own.root);
  const stampWhy = card.program.loyalty_type === "hybrid" && card.can?.stamp && !card.can.stamp.allowed
    ? t("no_stamp", { why: reason(card.can.stamp) }) : null;
  function draw() {
    const { outlook } = own;
    const count = outlook?.points_earned;
    const withStamp = outlook?.stamp?.given;
    const words = count ? t(withStamp ? "give_both" : "give_points", { count }) : t("book");
    fill(root, { give: words, why: can.allowed ? stampNote(outlook?.stamp) || stampWhy : reason(can) });
  }
  act(root, "give", () => {
    if (own.cents) sell(card, own.cents, own.outlook, give);
    else {
      fill(own.root, { live: t("type_amount") });
      say(t("type_amount"), { now: true });
    }
  });
  draw();
}

// Keys and pasted text go to the amount when there is one.
export const typeAmount = (event) => Boolean(pad?.root.isConnected) && pad.type(event);

export function pasteAmount(text) {
  if (pad?.root.isConnected) pad.paste(text);
}

// Enter: the one thing that the sheet is for.
export function give() {
  const button = $("#sheet [data-act=give]") ?? $("#sheet [data-act=hand-out]");
  if (button && !button.hasAttribute("aria-busy")) button.click();
}

// Several cards were found: choose one.
export function choose(cards, pick) {
  const root = fill(clone("results"), { title: t("found", { count: cards.length }) });
  const lines = cards.map((card) => {
    const line = fill(clone("result"), {
      name: label(card), last4: `•• ${card.card_number.slice(-4)}`,
      note: [progressWords(card), card.customer?.email, card.customer?.phone].filter(Boolean).join(" · "),
    });
    $("button", line).addEventListener("click", (event) => {
      busy(event.currentTarget, true);
      pick(card);
    });
    return line;
  });
  $("[data-list=results]", root).replaceChildren(...lines);
  act(root, "close", handlers.close);
  show("results", root);
  say(t("found", { count: cards.length }));
}
