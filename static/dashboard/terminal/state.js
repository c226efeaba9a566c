// What the till knows right now, in memory only: who stands there, which card lies there. A reload forgets all of it.

const WARN_BEFORE = 15000;

export const state = {
  needsPin: true,
  loyaltyType: "stamps",
  canVoid: true, // whether undo is possible here at all
  staff: null, // {id, name, token, expiresAt, unproven}
  card: null, // the card on the sheet
  waiting: null, // a scan that came while the till was locked
  sending: null, // what is on its way: resolves to whether a "no" to it stands on the sheet
  parked: null, // a scan that came meanwhile and opens after that "no"
  last: null, // the last success that can be undone
};

const listeners = new Map();

export function on(event, run) {
  listeners.set(event, [...(listeners.get(event) ?? []), run]);
}

export function emit(event, value) {
  (listeners.get(event) ?? []).forEach((run) => run(value));
}

let idleFor = 120000;
let touchedAt = Date.now();

export function setUp(root) {
  state.needsPin = root.dataset.needsPin === "yes";
  state.loyaltyType = root.dataset.loyaltyType || "stamps";
  state.canVoid = Number(root.dataset.voidMinutes) > 0;
  idleFor = Number(root.dataset.idleSeconds) * 1000;
  for (const kind of ["pointerdown", "keydown", "input"]) {
    document.addEventListener(kind, touch, { capture: true, passive: true });
  }
  setInterval(watch, 1000);
  // A tablet that slept must not wake up unlocked.
  document.addEventListener("visibilitychange", watch);
}

// Somebody is there: the idle lock starts anew. Called for scans too.
export function touch() {
  if (state.staff && Date.now() - touchedAt > idleFor) {
    lock("locked_idle");
    return;
  }
  touchedAt = Date.now();
  emit("locks-in", null);
}

export const locked = () => state.needsPin && !state.staff;

export function unlock(staff) {
  state.staff = staff;
  touchedAt = Date.now();
  emit("unlocked", staff);
}

// Forget the PIN session and the card; `why` names the sentence that says so.
export function lock(why = null) {
  if (!state.needsPin && !state.staff) return;
  state.staff = null;
  state.card = null;
  emit("locks-in", null);
  emit("locked", why);
}

function watch() {
  if (!state.staff) return;
  const now = Date.now();
  const idleLeft = touchedAt + idleFor - now;
  if (now >= state.staff.expiresAt) lock("locked_time");
  else if (idleLeft <= 0) lock("locked_idle");
  else emit("locks-in", idleLeft <= WARN_BEFORE ? Math.ceil(idleLeft / 1000) : null);
}
