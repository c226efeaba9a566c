// Keeps the screen on while a dialog is open: a scanner needs the code longer than a phone likes to wait.

export function keepAwake(dialog) {
  let lock = null;

  async function ask() {
    if (!dialog.open || document.hidden || lock) return;
    try {
      lock = await navigator.wakeLock?.request("screen") ?? null;
      lock?.addEventListener("release", () => (lock = null));
      if (!dialog.open) letGo();
    } catch {
      // Low battery, or the browser has none: the code is shown all the same.
      lock = null;
    }
  }

  function letGo() {
    lock?.release();
    lock = null;
  }

  new MutationObserver(() => (dialog.open ? ask() : letGo())).observe(dialog, { attributeFilter: ["open"] });
  // The browser takes the lock back when the page is hidden.
  document.addEventListener("visibilitychange", ask);
}
