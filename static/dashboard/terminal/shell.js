// The till as an app: it opens without a network after one visit, takes a new release only between two people, and keeps
// the screen awake while it is open.

import { locked, on } from "./state.js";

const LOOK_FOR_NEW = 30 * 60000;

let replacing = false;

export async function setUp(root) {
  wakeful();
  if (!("serviceWorker" in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register(root.dataset.worker, { scope: root.dataset.scope, updateViaCache: "none" });
    navigator.serviceWorker.addEventListener("controllerchange", () => { if (replacing) window.location.reload(); });
    const take = () => replace(registration);
    on("locked", take);
    registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", take));
    setInterval(() => { if (navigator.onLine && !document.hidden) registration.update().catch(() => {}); }, LOOK_FOR_NEW);
    take();
  } catch {
    // Private windows and old browsers: the till works, but not without a network.
  }
}

// A new release waits until nobody is at the till: a reload then costs nobody anything.
function replace({ waiting }) {
  const idle = locked() && !document.querySelector("dialog[open]") && !document.querySelector(".pin-view");
  if (!waiting || !idle || !navigator.onLine) return;
  replacing = Boolean(navigator.serviceWorker.controller);
  waiting.postMessage("take-over");
}

function wakeful() {
  let lock = null;
  const hold = async () => {
    if (document.hidden || !navigator.wakeLock || (lock && !lock.released)) return;
    lock = await navigator.wakeLock.request("screen").catch(() => null);
  };
  document.addEventListener("visibilitychange", hold);
  // Some browsers allow it after a touch only.
  document.addEventListener("pointerdown", hold, { passive: true });
  hold();
}
