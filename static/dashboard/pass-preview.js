// The card, the Apple pass and the Google pass, drawn anew from the form's values with every letter that is typed.

import { READABLE, isColour, nearest, palette, verdict } from "./colours.js";
import { watchLogo } from "./logo-preview.js";

// As wallets/providers/google/mapping.py cuts them.
const NAME = 20;
const SHARE = [7, 10];
const MOST_STAMPS = 30;
const MOST_LETTERS = 120;

export function shorten(text, most) {
  const flat = text.trim().split(/\s+/u).join(" ");
  const letters = [...flat];
  return letters.length <= most ? flat : `${letters.slice(0, most - 1).join("").trimEnd()}…`;
}

const whole = (text) => (/^\d{1,6}$/.test(text.trim()) ? Number(text) : 0);
const part = (target) => Math.max(0, Math.min(Math.trunc((target * SHARE[0]) / SHARE[1]), target - 1));

// Even rows: one up to six places, then two, then three.
export function columns(target) {
  const rows = target <= 6 ? 1 : target <= 20 ? 2 : 3;
  return Math.ceil(target / rows);
}

class Preview {
  constructor(box, form) {
    this.box = box;
    this.form = form;
    this.facts = JSON.parse(document.getElementById(box.dataset.facts).textContent);
    this.marks = this.patterns();
    this.theme = document.querySelectorAll("[data-passes], [data-pass-strip]");
    form.addEventListener("input", () => this.draw());
    form.addEventListener("change", () => this.draw());
    this.draw();
  }

  // One of each kind of place, to copy from.
  patterns() {
    const copy = (chosen) => this.box.querySelector(chosen)?.cloneNode(true);
    return { on: copy(".slot.on"), gift: copy(".slot.gift") };
  }

  typed(name, otherwise) {
    const field = this.form.elements.namedItem(name);
    const text = field && "value" in field ? field.value.trim() : "";
    return text === "" ? otherwise : text;
  }

  read() {
    const { facts } = this;
    const target = Math.min(MOST_STAMPS, Math.max(1, whole(this.typed("stamps_target", "")) || facts.target));
    const goal = whole(this.typed("reward_points", "")) || facts.points_goal;
    return {
      merchant: this.typed("merchant_name", facts.merchant),
      name: this.form.dataset.names === "merchant" ? facts.name : this.typed("name", facts.name),
      shop: this.form.dataset.names === "merchant" ? this.typed("name", facts.merchant) : facts.merchant,
      kind: facts.kind, target, count: part(target),
      reward: this.typed("stamps_reward_description", facts.reward).slice(0, MOST_LETTERS),
      goal, points: goal ? part(goal) : facts.points,
      pointsReward: this.typed("reward_name", facts.points_reward).slice(0, MOST_LETTERS),
      color: this.typed("card_color", ""),
    };
  }

  draw() {
    const now = this.read();
    const stamps = now.kind !== "points";
    const missing = stamps ? now.target - now.count : now.goal - now.points;
    const reward = stamps ? now.reward : now.pointsReward;
    const sentence = reward && missing > 0 ? this.sentence(stamps ? "stamps" : "points", missing) : "";
    this.say("name", now.name);
    this.say("name-google", shorten(now.name, NAME));
    this.say("shop-google", shorten(now.shop, NAME));
    this.say("fraction", stamps ? `${now.count}/${now.target}` : String(now.points));
    this.say("points", String(now.points));
    this.say("next", sentence.replace("%(reward)s", reward));
    this.length("name", now.name);
    this.length("shop", now.shop);
    this.face(now, stamps, sentence, reward);
    if (stamps) this.trays(now);
    if (isColour(now.color)) this.colour(now.color);
  }

  sentence(kind, missing) {
    const forms = this.facts.sentences[kind];
    const rule = new Intl.PluralRules(document.documentElement.lang).select(missing);
    return forms[rule === "one" ? 0 : 1].replace("%(count)s", missing);
  }

  // Everywhere: the strip of a phone shows some of it, too.
  say(what, text) {
    document.querySelectorAll(`[data-pass="${what}"]`).forEach((place) => (place.textContent = text));
  }

  length(what, text) {
    const line = this.box.querySelector(`[data-pass-length="${what}"]`);
    if (!line) return;
    const count = [...text.trim()].length;
    line.classList.toggle("is-over", count > NAME);
    line.querySelector("[data-count]").textContent = String(count);
  }

  face(now, stamps, sentence, reward) {
    const face = this.box.querySelector(".face");
    if (!face) return;
    const lead = face.querySelector(".lead");
    const [before, after] = sentence.split("%(reward)s");
    if (sentence) lead.replaceChildren(before, Object.assign(document.createElement("em"), { textContent: reward }), after ?? "");
    if (stamps) face.querySelector(".face-fraction").textContent = `${now.count} / ${now.target}`;
    const figure = face.querySelector(".tray-figure");
    if (figure) figure.textContent = String(now.points);
    const meter = face.querySelector("progress");
    if (meter) Object.assign(meter, { max: now.goal || 1, value: now.points });
  }

  trays({ count, target }) {
    this.box.querySelectorAll(".stamps").forEach((list) => {
      const size = list.dataset.columns ? `cols-${columns(target)}` : target > 12 ? "stamps-many" : target > 10 ? "stamps-6" : "";
      list.className = `stamps ${size}`;
      const seen = `${count}/${target}`;
      if (list.dataset.seen === seen) return;
      list.dataset.seen = seen;
      list.replaceChildren(...Array.from({ length: target }, (_, at) => this.place(at + 1, count, target)));
    });
  }

  place(number, count, target) {
    if (number <= count && this.marks.on) return turned(this.marks.on, number);
    if (number === target && this.marks.gift) return this.marks.gift.cloneNode(true);
    return Object.assign(document.createElement("li"), { className: "slot", textContent: String(number) });
  }

  colour(color) {
    const shades = Object.entries(palette(color));
    this.theme.forEach((place) => shades.forEach(([name, value]) => place.style.setProperty(`--${name}`, value)));
  }
}

function turned(mark, number) {
  const copy = mark.cloneNode(true);
  copy.querySelector("g")?.setAttribute("transform", `rotate(${((number * 37) % 24) - 12} 24 24)`);
  return copy;
}

// Says at once how well a colour reads, and offers a shade where it does not.
function watchColour(form) {
  const line = document.querySelector("[data-contrast]");
  const field = form.elements.namedItem("card_color");
  if (!line || !field) return;
  const ratio = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const offer = line.querySelector("[data-offer]");
  const show = () => {
    if (!isColour(field.value)) return;
    const found = verdict(field.value);
    line.querySelector("[data-ratio]").textContent = ratio.format(found.writing);
    line.dataset.reads = found.passes ? "yes" : "no";
    line.querySelectorAll("[data-when]").forEach((part) => (part.hidden = part.dataset.when !== reason(found)));
    offer.hidden = found.passes;
    if (!found.passes) {
      offer.value = nearest(field.value);
      offer.querySelector("[data-shade]").textContent = offer.value;
      offer.style.setProperty("--shade", offer.value);
    }
  };
  offer.addEventListener("click", () => {
    field.value = offer.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
  field.addEventListener("input", show);
  show();
}

function reason({ writing, passes }) {
  if (passes) return "good";
  return writing < READABLE ? "writing" : "stamps";
}

const form = document.querySelector("form[data-preview]");
const box = document.querySelector("[data-passes]");
if (form && box) new Preview(box, form);
if (form) watchColour(form);
watchLogo();
