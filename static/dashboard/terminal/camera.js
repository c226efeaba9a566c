// The camera as one more source of cards: it opens with the person at the till and closes when they leave. Its picture is
// shown and read on this device and goes nowhere else.

import { $, fill, say } from "./dom.js";
import { reader } from "./reader.js";
import { read } from "./scan.js";
import { t } from "./words.js";

const LOOK_EVERY = 120; // ms between two looks
const GONE_AFTER = 1500; // a code that was away this long counts as shown anew
const HINT_FOR = 4000;
const WIDEST = 960; // pixels that are looked at; more only takes longer
const STORED = "till-camera";
const FAULTS = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "none", OverconstrainedError: "none", NotReadableError: "busy", AbortError: "busy" };

const main = document.getElementById("main");
const video = document.getElementById("camera");
const state = document.getElementById("camera-state");
const torch = document.getElementById("camera-torch");
const turner = document.getElementById("camera-turn");
const canvas = document.createElement("canvas");

let wasm = "";
let found = () => {};
let refused = () => {};
let wanted = false;
let stream = null;
let timer;
let hinting;
let seen = { value: "", at: 0 };

export function cameraSource(root, { onFault }) {
  return {
    start(onScan) {
      main.dataset.camera = "off";
      wasm = root.dataset.reader;
      found = onScan;
      refused = onFault;
      torch.addEventListener("click", light);
      turner.addEventListener("click", turn);
      $("button", state).addEventListener("click", () => open());
      document.addEventListener("visibilitychange", () => {
        if (document.hidden) stop();
        else if (wanted) open();
      });
      // Permission given in the browser's own menu: no reload needed.
      navigator.permissions?.query({ name: "camera" }).then((permission) => {
        permission.addEventListener("change", () => { if (wanted && permission.state === "granted") open(); });
      }).catch(() => {});
    },
  };
}

export function open() {
  wanted = true;
  if (stream || main.dataset.camera === "asking" || document.hidden) return;
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
    show("insecure");
    return;
  }
  show("asking");
  start().catch((error) => {
    stop();
    show(FAULTS[error.name] ?? "failed");
    refused();
  });
}

export function close() {
  wanted = false;
  stop();
  show("off");
}

function preference() {
  try {
    return JSON.parse(localStorage.getItem(STORED)) ?? {};
  } catch {
    return {};
  }
}

async function start() {
  const { device } = preference();
  const which = device ? { deviceId: { ideal: device } } : { facingMode: { ideal: "environment" } };
  const opened = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { ...which, width: { ideal: 1280 }, height: { ideal: 720 } },
  });
  if (!wanted || document.hidden) {
    opened.getTracks().forEach((track) => track.stop());
    show("off");
    return;
  }
  stream = opened;
  const [track] = stream.getVideoTracks();
  // Unplugged, or taken by another app.
  track.addEventListener("ended", () => {
    if (track.readyState !== "ended" || !stream) return;
    stop();
    show("busy");
  });
  video.srcObject = stream;
  video.classList.toggle("mirrored", track.getSettings().facingMode === "user");
  await video.play();
  show("on");
  torch.hidden = !track.getCapabilities?.().torch;
  torch.setAttribute("aria-pressed", "false");
  const devices = await navigator.mediaDevices.enumerateDevices();
  turner.hidden = devices.filter(({ kind }) => kind === "videoinput").length < 2;
  look(await reader(wasm));
}

function stop() {
  clearTimeout(timer);
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  video.srcObject = null;
  torch.hidden = true;
  turner.hidden = true;
  seen = { value: "", at: 0 };
  if (main.dataset.camera === "on" || main.dataset.camera === "asking") main.dataset.camera = "off";
}

function picture() {
  const scale = Math.min(1, WIDEST / video.videoWidth);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

async function look(detector) {
  const mine = stream;
  if (!mine) return;
  if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth && !document.querySelector("dialog[open]")) {
    const [code] = await detector.detect(picture()).catch(() => []);
    if (stream === mine && code) saw(code.rawValue);
  }
  if (stream === mine) timer = setTimeout(look, LOOK_EVERY, detector);
}

// A card that stays before the camera counts once.
function saw(value) {
  const again = value === seen.value && performance.now() - seen.at < GONE_AFTER;
  seen = { value, at: performance.now() };
  if (again) return;
  const scan = read(value);
  if (scan && scan.kind !== "query") {
    main.dataset.seen = "yes";
    setTimeout(() => { delete main.dataset.seen; }, 400);
    found(scan);
  } else {
    fill(document, { "camera-hint": t("camera_foreign") });
    clearTimeout(hinting);
    hinting = setTimeout(() => { if (stream) fill(document, { "camera-hint": t("camera_on") }); }, HINT_FOR);
    say(t("camera_foreign"));
  }
}

async function light() {
  const on = torch.getAttribute("aria-pressed") !== "true";
  try {
    await stream?.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: on }] });
    torch.setAttribute("aria-pressed", String(on));
  } catch {
    torch.hidden = true;
  }
}

// The next camera of this device, remembered for the next time.
async function turn() {
  const devices = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
  const at = devices.findIndex(({ deviceId }) => deviceId === stream?.getVideoTracks()[0].getSettings().deviceId);
  const next = devices[(at + 1) % devices.length];
  try {
    localStorage.setItem(STORED, JSON.stringify({ device: next.deviceId }));
  } catch {
    // Without storage the choice is not remembered, and the same camera opens again.
  }
  stop();
  open();
}

// How the camera is allowed in this browser.
function allow() {
  const agent = navigator.userAgent;
  if (window.matchMedia("(display-mode: standalone)").matches) return t("camera_allow_app");
  if (/iPhone|iPad|Macintosh.*Safari(?!.*Chrome)/.test(agent) && !/Chrome|CriOS/.test(agent)) return t("camera_allow_safari");
  if (/Firefox/.test(agent)) return t("camera_allow_firefox");
  return t("camera_allow_chrome");
}

const WORDS = {
  denied: () => [t("camera_denied"), allow()],
  none: () => [t("camera_none"), t("camera_none_text")],
  busy: () => [t("camera_busy"), t("camera_busy_text")],
  insecure: () => [t("camera_insecure"), t("camera_insecure_text")],
  failed: () => [t("camera_failed"), t("camera_none_text")],
};

function show(name) {
  main.dataset.camera = name;
  const words = WORDS[name]?.();
  state.hidden = !words;
  fill(document, { "camera-hint": t(name === "on" ? "camera_on" : name === "asking" ? "camera_asking" : "camera_off") });
  if (!words) return;
  fill(state, { title: words[0], text: words[1] });
  $("button", state).hidden = name === "insecure" || name === "none";
  if (name !== "none") say(words.join(". "));
}
