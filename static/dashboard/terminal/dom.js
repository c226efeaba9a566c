// Cloning the page's templates and filling their slots. Text only, never markup.

export const $ = (selector, root = document) => root.querySelector(selector);

export function clone(name) {
  return document.getElementById(`t-${name}`).content.firstElementChild.cloneNode(true);
}

// Set the text of each `data-slot`; null or "" hides the slot.
export function fill(root, values) {
  for (const [name, value] of Object.entries(values)) {
    for (const slot of root.querySelectorAll(`[data-slot="${name}"]`)) {
      const empty = value === null || value === undefined || value === "";
      slot.hidden = empty;
      slot.textContent = empty ? "" : value;
    }
  }
  return root;
}

// Run `run` when `data-act=name` inside `root` is pressed.
export function act(root, name, run) {
  root.querySelectorAll(`[data-act="${name}"]`).forEach((button) => button.addEventListener("click", (event) => run(event, button)));
}

const main = () => document.getElementById("main");
const sheet = () => document.getElementById("sheet");
let shown = "idle";

export const view = () => shown;

// Put a view into the sheet and the focus on its heading (or on `focus`).
export function show(name, root, { focus } = {}) {
  shown = name;
  main().dataset.view = name;
  sheet().replaceChildren(...(root ? [root] : []));
  sheet().scrollTop = 0;
  const target = focus ?? (root && $("[data-focus]", root));
  target?.focus({ preventScroll: true });
  if (root && window.innerWidth < 900) window.scrollTo(0, 0);
  return root;
}

// Results are said politely, refusals at once; the regions are in the page from the start.
export function say(text, { now = false } = {}) {
  const region = document.getElementById(now ? "say-now" : "say");
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 30);
}

export function busy(button, on) {
  if (on) button.setAttribute("aria-busy", "true");
  else button.removeAttribute("aria-busy");
}

// The turn of a mark in degrees, −12…+11: the same each time for a card and a place.
export function turn(seed, position) {
  let hash = 2166136261;
  for (const character of `${seed}/${position}`) hash = Math.imul(hash ^ character.charCodeAt(0), 16777619);
  return ((hash >>> 8) % 24) - 12;
}

// The tray: places 1 … target, `count` of them stamped, the last `fresh` landing now.
export function tray(list, { count, target, seed, fresh = 0 }) {
  list.className = `stamps${target > 12 ? " stamps-many" : target > 10 ? " stamps-6" : ""}`;
  const places = [];
  for (let place = 1; place <= target; place += 1) {
    const filled = place <= count;
    const slot = clone(filled ? "slot-on" : place === target ? "slot-gift" : "slot");
    if (filled) {
      $("g", slot).setAttribute("transform", `rotate(${turn(seed, place)} 24 24)`);
      slot.classList.toggle("fresh", place > count - fresh);
    } else if (place !== target) {
      slot.textContent = place;
    }
    places.push(slot);
  }
  list.replaceChildren(...places);
}
