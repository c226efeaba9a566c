// The amount pad: digits come in from the right, the line under it says what they are worth before anything is booked.

import { $, clone, fill, say } from "./dom.js";
import { keepFocus } from "./focus.js";
import { online } from "./net.js";
import { preview } from "./operations.js";
import { amount, clock, money, t } from "./words.js";

const MOST_DIGITS = 9;
const WAIT = 180;
const HOLD = 600;

export class AmountPad {
  // `onChange` hears {cents, outlook}: outlook is the server's preview for exactly this amount, or null.
  constructor(card, onChange) {
    this.card = card;
    this.onChange = onChange;
    this.digits = "";
    this.outlook = null;
    this.root = clone("amount");
    this.root.querySelectorAll("button[data-key]").forEach((key) => this.wire(key));
    keepFocus(this.root);
    this.draw();
  }

  get cents() {
    return Number(this.digits || 0);
  }

  wire(key) {
    let held;
    const name = key.dataset.key;
    key.addEventListener("click", () => this.press(name));
    if (name !== "back") return;
    key.addEventListener("pointerdown", () => { held = setTimeout(() => this.press("clear"), HOLD); });
    for (const end of ["pointerup", "pointerleave", "pointercancel"]) key.addEventListener(end, () => clearTimeout(held));
  }

  press(key) {
    const before = this.digits;
    if (key === "clear") this.digits = "";
    else if (key === "back") this.digits = this.digits.slice(0, -1);
    else if (this.digits.length < MOST_DIGITS) this.digits = `${this.digits}${key}`.replace(/^0+/, "");
    if (this.digits !== before) this.changed();
  }

  // Digits of a keyboard; true when the key was taken.
  type(event) {
    if (/^\d$/.test(event.key)) this.press(event.key);
    else if (event.key === "Backspace") this.press("back");
    else if (event.key === "Delete") this.press("clear");
    else if (event.key !== "," && event.key !== ".") return false;
    return true;
  }

  // An amount that was copied: "23,40", "€ 23.40", "23".
  paste(text) {
    const found = text.trim().match(/(\d[\d\s.,']*)/);
    if (!found) return;
    const parts = found[1].replace(/[\s']/g, "").split(/[.,](?=\d{1,2}$)/);
    const units = parts[0].replace(/\D/g, "");
    const minor = (parts[1] ?? "").padEnd(money.exponent, "0").slice(0, money.exponent);
    this.digits = `${units}${minor}`.replace(/^0+/, "").slice(0, MOST_DIGITS);
    this.changed();
  }

  changed() {
    this.outlook = null;
    this.draw();
    this.onChange();
    clearTimeout(this.timer);
    this.abort?.abort();
    if (this.cents > 0 && this.card.id && online()) this.timer = setTimeout(() => this.ask(), WAIT);
  }

  async ask() {
    const cents = this.cents;
    this.abort = new AbortController();
    try {
      const answer = await preview("points", this.card, { purchase_amount_cents: cents }, this.abort.signal);
      if (cents !== this.cents) return;
      this.outlook = answer;
      say(this.line());
    } catch {
      // Without a preview the purchase can still be booked; a refusal is told when it is.
      this.outlook = null;
    }
    this.draw();
    this.onChange();
  }

  draw() {
    fill(this.root, { amount: amount(this.cents), live: this.line() });
    // The line keeps its place when it is empty, so that no key moves under a finger.
    const live = $("[data-slot=live]", this.root);
    live.hidden = false;
  }

  line() {
    if (!this.outlook) return "";
    const { points_earned: count, to_next_point_cents: next, explanation } = this.outlook;
    if (!count && !next) return typeof explanation === "string" ? explanation : t("worth", { count });
    return next ? t("worth_next", { count, amount: amount(next) }) : t("worth", { count });
  }
}

// Why a hybrid sale brings no stamp, "" when it does.
export function stampNote(stamp) {
  if (!stamp || stamp.given !== false) return "";
  const why = stamp.code === "cooldown_active" && stamp.at ? t("cooldown_active", { time: clock(stamp.at) }) : "";
  return t("no_stamp", { why }).trim();
}
