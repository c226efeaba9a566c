// What a "no" means for the person at the till: what happened, what stays safe, what to do next.

import { Refusal, Unreached, isOpen } from "./api.js";
import { $, clone, fill, say, show } from "./dom.js";
import { signal } from "./signals.js";
import { state } from "./state.js";
import { knows, moment, t } from "./words.js";

const ARRIVES = 350; // ms

// The sentence for a reason of the server, given as {code, at, …}: for the card sheet, before anything is tried.
export function reason({ code, at, detail, next_stamp_available_at: next, resets_at: resets }) {
  const time = at ?? next ?? resets;
  if (code === "cooldown_active" && time) return t("cooldown_active", { time: moment(time) });
  if (code === "daily_limit_reached" && time) return t("daily_limit_reached", { time: moment(time) });
  if (code === "card_full") return t("card_full_text");
  if (code === "insufficient_stamps" || code === "insufficient_points") return t("insufficient");
  return detail || (knows(code) ? t(code) : t("refused_title"));
}

function redeemed({ redeemed_at: at, redeemed_by: by }) {
  if (!at) return t("already_redeemed_plain");
  const name = by?.name ?? by;
  return name ? t("already_redeemed_by", { time: moment(at), name }) : t("already_redeemed", { time: moment(at) });
}

// {tone, title, text, safe}: the words of an error.
export function words(error) {
  if (error instanceof Unreached && !error.sent) return { tone: "net", title: t("offline_title"), text: t("offline_text") };
  if (isOpen(error)) return { tone: "net", title: t("network_title"), text: t("network_text") };
  if (!(error instanceof Refusal)) return { tone: "alert", title: t("server_title"), safe: t("nothing_given") };
  const { code, facts, detail } = error;
  const safe = t("nothing_given");
  switch (code) {
    case "cooldown_active":
    case "daily_limit_reached":
      return { tone: "time", title: reason({ ...facts, code }), safe };
    case "card_full":
      return { tone: "alert", title: t("card_full_title"), text: t("card_full_text"), safe };
    case "not_found":
      return { tone: "alert", title: t("not_found_title"), text: t("not_found_text") };
    case "already_redeemed":
      return { tone: "alert", title: redeemed(facts), safe };
    case "already_voided":
    case "void_window_closed":
      return { tone: "alert", title: code === "already_voided" ? detail : t(code) };
    case "card_busy":
      return { tone: "time", title: t("card_busy"), safe };
    case "own_card":
    case "cross_store_redemption_off":
      return { tone: "alert", title: t(code), safe };
    case "validation_error":
      return { tone: "alert", title: facts.errors?.[0]?.detail ?? detail, safe };
    default:
      return { tone: "alert", title: reason({ ...facts, code, detail }), safe };
  }
}

// A refusal has just come, and nobody can have read it yet.
export const isArriving = () => Boolean($("#sheet .arriving"));

// Show a refusal; `actions` are [{label, run, fill}], the first one is what Enter does.
export function refuse({ tone, title, text, safe }, actions) {
  const root = fill(clone("refusal"), { title, text, safe, waits: state.parked && t("next_waits") });
  root.dataset.tone = tone;
  const buttons = actions.map(({ label, run, test }, at) => {
    const button = clone("action");
    button.classList.add(at === 0 ? "btn-fill" : "btn-line");
    button.textContent = label;
    if (test) button.dataset.test = test;
    // A key that is held down, the second tap of a double tap, a scanner's Enter: not meant for this sheet.
    button.addEventListener("click", () => { if (!button.classList.contains("arriving")) run(); });
    button.addEventListener("keydown", (event) => { if (event.repeat) event.preventDefault(); });
    button.classList.add("arriving");
    setTimeout(() => button.classList.remove("arriving"), ARRIVES);
    return button;
  });
  $("[data-list=actions]", root).replaceChildren(...buttons);
  show("refusal", root, { focus: buttons[0] });
  signal("refused");
  say([title, text, safe].filter(Boolean).join(". "), { now: true });
}
