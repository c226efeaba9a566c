// What the till says without words: a short sound and a buzz, beside what stands on the screen, never instead of it.

import { clock } from "./words.js";

const STORED = "till-signals";
const LOUDNESS = { on: 1, quiet: 0.25, off: 0 };
const BUZZ = { given: 20, reward: [20, 60, 20], refused: 80 };
const FRESH = 1500; // ms: a sound that could not be played at once comes too late
const chosen = { sound: "on", buzz: true, from: "21:00", to: "06:00" };

let root;
let context = null;
const sounds = {};

function recall() {
  try {
    Object.assign(chosen, JSON.parse(localStorage.getItem(STORED)));
  } catch {
    // Nothing stored, or nothing that can be read: the till begins as it came.
  }
  if (!(chosen.sound in LOUDNESS)) chosen.sound = "on";
}

function remember() {
  try {
    localStorage.setItem(STORED, JSON.stringify(chosen));
  } catch {
    // Without storage the choice holds until the page is left.
  }
}

// In the store's time; from 21:00 to 06:00 goes over midnight, and two equal times mean never.
export function isQuietAt(time, { from, to }) {
  return from <= to ? time >= from && time < to : time >= from || time < to;
}

// Browsers allow sound after the first touch; the files are fetched then, too, so that they never delay the page.
async function wake() {
  if (!window.AudioContext || chosen.sound === "off" || navigator.userActivation?.isActive === false) return;
  context ??= new AudioContext({ latencyHint: "interactive" });
  if (context.state === "suspended") context.resume().catch(() => {});
  for (const [name, url] of Object.entries(JSON.parse(root.dataset.sounds))) {
    sounds[name] ??= fetch(url).then((answer) => answer.arrayBuffer()).then((bytes) => context.decodeAudioData(bytes)).catch(() => {
      delete sounds[name];
    });
  }
}

async function play(name) {
  const since = performance.now();
  const loudness = LOUDNESS[chosen.sound];
  if (!loudness || isQuietAt(clock(new Date().toISOString()), chosen)) return;
  const sound = await sounds[name];
  if (!sound || context?.state !== "running" || performance.now() - since > FRESH) return;
  const source = new AudioBufferSourceNode(context, { buffer: sound });
  source.connect(new GainNode(context, { gain: loudness })).connect(context.destination);
  source.start();
  // What played last, for those who cannot hear it: tests.
  root.dataset.played = name;
}

// "given", "reward" or "refused".
export function signal(name) {
  if (chosen.buzz) navigator.vibrate?.(BUZZ[name]);
  play(name);
}

// The switches stand in the dialog of the till; a choice is heard at once.
function setUpSwitches(form) {
  for (const field of form.querySelectorAll("input, select")) {
    if (field.type === "radio") field.checked = field.value === chosen[field.name];
    else if (field.type === "checkbox") field.checked = chosen[field.name];
    else field.value = chosen[field.name];
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", async ({ target }) => {
    chosen[target.name] = target.type === "checkbox" ? target.checked : target.value;
    remember();
    if (target.name === "from" || target.name === "to") return;
    await wake();
    signal("given");
  });
}

export function setUp(given) {
  root = given;
  recall();
  setUpSwitches(document.getElementById("till-signals"));
  for (const kind of ["click", "keydown"]) document.addEventListener(kind, wake, { capture: true, passive: true });
}
