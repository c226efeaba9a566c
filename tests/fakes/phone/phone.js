// The phone of the fakes: draws what /state says, and asks anew whenever /events says that something happened.

const $ = (id) => document.getElementById(id);
const turned = new Set();
const shown = new Map();
let state = { cards: [], log: [], faults: [] };
let noticed = null;

function make(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const language = () => $("language").value;
const time = (at) => new Date(at * 1000).toLocaleTimeString("en-GB");

function picture(source, className, alt = "") {
  const image = make("img", className);
  image.src = source;
  image.alt = alt;
  return image;
}

function field(label, value) {
  return make("div", "field", label ? make("dt", "label", label) : null, make("dd", "value", value));
}

// ---- Apple: a storeCard

function words(card) {
  const known = card.strings[language()] || card.strings.en || {};
  return (text) => (typeof text === "string" && text in known ? known[text] : String(text ?? ""));
}

function appleImage(card, name) {
  for (const folder of [`${language()}.lproj/`, ""])
    for (const density of ["@3x", "@2x", ""])
      if (card.images.includes(`${folder}${name}${density}.png`))
        return `/image?card=${encodeURIComponent(card.id)}&name=${encodeURIComponent(`${folder}${name}${density}.png`)}&v=${card.version}`;
  return null;
}

function applePass(card) {
  const pass = card.pass, style = pass.storeCard || {}, say = words(card);
  const fields = (place) => (style[place] || []).map((one) => field(say(one.label), say(one.value)));
  const logo = appleImage(card, "logo"), strip = appleImage(card, "strip");
  const box = make("article", `pass apple${pass.voided ? " void" : ""}`);
  box.append(make("header", "", logo ? picture(logo) : null, make("span", "name", say(pass.logoText)), ...fields("headerFields")));
  if (pass.voided) box.append(make("div", "banner", "This pass is void."));
  if (strip || (style.primaryFields || []).length)
    box.append(make("div", "strip", strip ? picture(strip) : null, make("dl", "over", ...fields("primaryFields"))));
  box.append(make("dl", "fields", ...fields("secondaryFields"), ...fields("auxiliaryFields")));
  const code = (pass.barcodes || [])[0];
  if (code) box.append(barcode(code.message, code.altText));
  colour(box, pass.backgroundColor, pass.foregroundColor, pass.labelColor);
  return box;
}

function appleBack(card) {
  const say = words(card);
  const rows = (card.pass.storeCard?.backFields || []).map((one) =>
    make("div", "", make("dt", "", say(one.label)), make("dd", "", say(one.value))));
  return make("dl", "back", ...rows);
}

function appleFields(card) {
  const found = new Map(), say = words(card);
  for (const place of ["headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields"])
    for (const one of card.pass.storeCard?.[place] || [])
      found.set(one.key, { value: say(one.value), message: one.changeMessage ? say(one.changeMessage) : "" });
  return found;
}

// ---- Google: a loyalty card

function local(localized, plain) {
  if (!localized) return plain ?? "";
  const all = [...(localized.translatedValues || []), localized.defaultValue].filter(Boolean);
  return (all.find((one) => one.language === language()) || localized.defaultValue || all[0])?.value ?? plain ?? "";
}

const uri = (image) => (image?.sourceUri?.uri ? `/picture?of=${encodeURIComponent(image.sourceUri.uri)}` : null);

function points(one) {
  if (!one) return null;
  const balance = one.balance || {};
  const value = balance.string ?? balance.int ?? balance.double ?? "";
  return field(local(one.localizedLabel, one.label), String(value));
}

function googlePass(card) {
  const object = card.object, cls = card.class;
  const dark = object.state !== "ACTIVE";
  const box = make("article", `pass google${dark ? " void" : ""}`);
  const logo = uri(cls.programLogo), hero = uri(object.heroImage) || uri(cls.heroImage);
  box.append(make("header", "", logo ? picture(logo) : null, make("span", "name", local(cls.localizedIssuerName, cls.issuerName))));
  if (dark) box.append(make("div", "banner", `State ${object.state}`));
  box.append(make("div", "title", local(cls.localizedProgramName, cls.programName)));
  box.append(make("dl", "fields", points(object.loyaltyPoints), points(object.secondaryLoyaltyPoints)));
  if (object.barcode) box.append(barcode(object.barcode.value, object.barcode.alternateText));
  if (hero) box.append(picture(hero, "hero"));
  const back = cls.hexBackgroundColor || "#2F3BBF";
  colour(box, back, brightness(back) > 0.5 ? "#1B1C2E" : "#FFFFFF", "");
  return box;
}

function googleBack(card) {
  const texts = [...(card.object.textModulesData || []), ...(card.class.textModulesData || [])].map((one) =>
    [local(one.localizedHeader, one.header), local(one.localizedBody, one.body)]);
  const links = [...(card.object.linksModuleData?.uris || []), ...(card.class.linksModuleData?.uris || [])].map((one) =>
    [local(one.localizedDescription, one.description), one.uri]);
  const person = [["Name", card.object.accountName], ["Number", card.object.accountId]].filter((row) => row[1]);
  return make("dl", "back", ...[...person, ...texts, ...links].map(([head, body]) =>
    make("div", "", make("dt", "", head), make("dd", "", body))));
}

function googleFields(card) {
  const found = new Map();
  for (const name of ["loyaltyPoints", "secondaryLoyaltyPoints"]) {
    const balance = card.object[name]?.balance || {};
    found.set(name, { value: String(balance.string ?? balance.int ?? ""), message: "" });
  }
  return found;
}

// ---- Both

function brightness(hex) {
  const full = hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit).join("") : hex.slice(1);
  const [r, g, b] = [0, 2, 4].map((at) => parseInt(full.slice(at, at + 2), 16) / 255);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function colour(box, back, front, label) {
  for (const [name, value] of [["--back", back], ["--front", front], ["--label", label]])
    if (value) box.style.setProperty(name, value);
}

function barcode(message, text) {
  return make("div", "code", picture(`/barcode?text=${encodeURIComponent(message)}`, "", `QR code ${message}`), text || "");
}

function button(text, act, className = "") {
  const made = make("button", className, text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function below(card) {
  const line = card.kind === "apple"
    ? `Apple · ${card.pushes} pushes · fetched ${card.updated_at ? time(card.updated_at) : "never"}`
    : `Google · ${card.writes} writes · written ${card.updated_at ? time(card.updated_at) : "never"}`;
  return make("div", "below", make("span", "", line),
    button(turned.has(card.id) ? "Front" : "Back", () => {
      turned.has(card.id) ? turned.delete(card.id) : turned.add(card.id);
      draw();
    }),
    card.kind === "apple" ? button("Pull", () => send("/refresh", { card: card.id })) : null,
    button("Remove", () => send("/remove", { card: card.id })));
}

function tell(card, fields) {
  const before = shown.get(card.id);
  shown.set(card.id, { version: card.version, fields });
  if (!before || before.version === card.version) return false;
  for (const [key, now] of fields) {
    const then = before.fields.get(key);
    if (then && now.message && then.value !== now.value) notice(card.name, now.message.replace("%@", now.value));
  }
  return true;
}

function notice(head, text) {
  const box = make("div", "notice", make("b", "", head), text);
  $("notices").replaceChildren(box);
  clearTimeout(noticed);
  noticed = setTimeout(() => box.remove(), 6000);
}

function draw() {
  const cards = state.cards.map((card) => {
    const apple = card.kind === "apple";
    const changed = tell(card, apple ? appleFields(card) : googleFields(card));
    const box = turned.has(card.id) ? (apple ? appleBack(card) : googleBack(card)) : (apple ? applePass(card) : googlePass(card));
    if (changed) box.classList.add("changed");
    return make("div", "", box, below(card));
  });
  $("cards").replaceChildren(...cards);
  $("empty").hidden = cards.length > 0;
  $("enroll").href = state.enroll || "#";
  $("faults").replaceChildren(...state.faults.map(faultSet));
  $("log").replaceChildren(...state.log.map((entry) =>
    make("li", entry.bad ? "bad" : "", make("time", "", time(entry.at)), make("span", "who", entry.who), make("span", "", short(entry.text)))));
}

// Names at Google and serial numbers say nothing: their ends are enough to tell them apart.
const short = (text) => text.replace(/[\w.-]{20,}(?=[\w-]{5})/g, "…");

function faultSet(set) {
  const choices = set.choices.map((choice) => {
    const made = button(choice.label, () => send("/fault", { provider: set.provider, fault: choice.name }), choice.name ? "" : "well");
    made.setAttribute("aria-pressed", String(set.active === choice.name));
    return made;
  });
  return make("div", "", make("h3", "", set.title), make("div", "set", ...choices));
}

async function send(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const said = await answer.json();
  $("refusal").textContent = answer.ok ? "" : said.detail;
  return answer.ok;
}

let asking = false, again = false;
async function refresh() {
  if (asking) { again = true; return; }
  asking = true;
  do {
    again = false;
    state = await (await fetch("/state")).json();
    draw();
  } while (again);
  asking = false;
}

$("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await send("/add", { address: $("address").value })) $("address").value = "";
});
$("language").addEventListener("change", () => { shown.clear(); draw(); });
const clock = () => { $("clock").textContent = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }); };
clock();
setInterval(clock, 5000);

const events = new EventSource("/events");
events.addEventListener("message", refresh);
events.addEventListener("open", () => { $("link").textContent = "connected"; $("link").className = ""; });
events.addEventListener("error", () => { $("link").textContent = "the fakes are away"; $("link").className = "away"; });
