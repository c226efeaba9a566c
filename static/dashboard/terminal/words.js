// Sentences, numbers, money and times in the page's language and the store's time zone.

let texts = {};
let locales = ["en"];
let zone;
let plural;

export const money = { currency: "EUR", exponent: 2 };

export function setUp(root) {
  texts = JSON.parse(root.dataset.words);
  // Browsers without Luxembourgish fall back to the neighbour whose forms are the same.
  locales = [document.documentElement.lang, ...(document.documentElement.lang === "lb" ? ["de-LU"] : []), "en-GB"];
  if (document.documentElement.lang === "en") locales = ["en-GB"];
  zone = root.dataset.timeZone;
  plural = new Intl.PluralRules(locales);
  money.currency = root.dataset.currency;
  money.exponent = new Intl.NumberFormat(locales, { style: "currency", currency: money.currency })
    .resolvedOptions().maximumFractionDigits;
}

// The sentence `name` with its values; `count` chooses the form and is written with separators.
export function t(name, values = {}) {
  const found = texts[name];
  if (found === undefined) throw new Error(`no sentence ${name}`);
  const text = typeof found === "string" ? found : found[plural.select(Number(values.count))] ?? found.other;
  return text.replace(/%\((\w+)\)s/g, (_, key) => (typeof values[key] === "number" ? number(values[key]) : values[key] ?? ""));
}

export const knows = (name) => name in texts;

export const number = (value) => new Intl.NumberFormat(locales).format(value);

// Minor units as an amount: 2340 → "€23.40".
export function amount(cents) {
  return new Intl.NumberFormat(locales, { style: "currency", currency: money.currency }).format(cents / 10 ** money.exponent);
}

function local(iso, options) {
  return new Intl.DateTimeFormat(locales, { timeZone: zone, ...options }).format(new Date(iso));
}

const dayOf = (iso) => local(iso, { year: "numeric", month: "2-digit", day: "2-digit" });

export const clock = (iso) => local(iso, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

// The time today, with the day in front on any other day: "14:17", "Mon 23 Nov, 14:17".
export function moment(iso) {
  const today = dayOf(new Date().toISOString()) === dayOf(iso);
  return today ? clock(iso) : `${local(iso, { weekday: "short", day: "numeric", month: "short" })}, ${clock(iso)}`;
}

// A day as people say it: "today, 08:12", "Tuesday", "12 Oct 2026".
export function day(iso) {
  if (dayOf(new Date().toISOString()) === dayOf(iso)) return t("today", { time: clock(iso) });
  const age = (Date.now() - new Date(iso).getTime()) / 86400000;
  if (age > 0 && age < 6) return local(iso, { weekday: "long" });
  const thisYear = local(iso, { year: "numeric" }) === local(new Date().toISOString(), { year: "numeric" });
  return local(iso, { day: "numeric", month: "short", ...(thisYear ? {} : { year: "numeric" }) });
}

export function today() {
  return local(new Date().toISOString(), { day: "2-digit", month: "short", year: "numeric" }).toLocaleUpperCase(locales);
}
