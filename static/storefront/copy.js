// Asks the worker to keep this page and its files for times without a network.

const QUIET = 1500;
const FILE = /^\/(static|theme|media)\//;

export function keepCopy({ worker, page }) {
  const container = navigator.serviceWorker;
  if (!container || !window.caches) return () => {};

  async function keep() {
    try {
      const registration = await container.ready;
      registration.active?.postMessage({ page, files: files() });
    } catch {
      // Private windows and some apps have no worker: the page works, but not without a network.
    }
  }

  container.register(worker, { scope: "/loyalty/" }).catch(() => {});
  const whenQuiet = () => window.setTimeout(keep, QUIET);
  if (document.readyState === "complete") whenQuiet();
  else window.addEventListener("load", whenQuiet, { once: true });
  return keep;
}

function files() {
  const loaded = performance.getEntriesByType("resource").map((entry) => new URL(entry.name));
  const own = loaded.filter((url) => url.origin === window.location.origin && FILE.test(url.pathname));
  return [...new Set(own.map((url) => url.pathname))];
}
