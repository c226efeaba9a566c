// The till's service worker, sent by dashboard.views.terminal_app behind a line that names the release and its files
// (RELEASE, FILES, READER). Each release has a cache of its own that holds the page together with exactly its scripts.

const HASHED = /\.[0-9a-f]{12}\.\w+$/;
const PATIENCE = 1200; // ms until the saved page stands in for a slow network
const PAGE = new URL(self.registration.scope);
const MINE = `till-${PAGE.pathname}-`;
const CACHE = `${MINE}${RELEASE}`;

const matching = { ignoreVary: true, ignoreSearch: true };

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => { if (event.data === "take-over") self.skipWaiting(); });

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES);
  const page = await fetch(PAGE, { credentials: "same-origin", redirect: "manual", cache: "no-store" });
  if (!belongs(page)) throw new Error("this device is no till, or the page is of another release");
  await cache.put(PAGE, page);
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(MINE) && name !== CACHE).map((name) => caches.delete(name)));
  await self.clients.claim();
  // The reader of codes is large: fetched last, and only where the browser has none of its own.
  if (!("BarcodeDetector" in self)) (await caches.open(CACHE)).addAll(READER).catch(() => {});
}

const belongs = (page) => page.ok && page.headers.get("X-Till-Release") === RELEASE;

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname === PAGE.pathname) event.respondWith(page(event));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
});

// The page comes from the network, so that a till that was signed out learns of it; the saved one when that takes long.
async function page(event) {
  const cache = await caches.open(CACHE);
  const saved = await cache.match(PAGE, matching);
  const fresh = fetch(event.request).then((answer) => {
    if (belongs(answer)) event.waitUntil(cache.put(PAGE, answer.clone()));
    return answer;
  });
  if (!saved) return fresh;
  const late = new Promise((resolve) => { setTimeout(resolve, PATIENCE, saved); });
  const answered = fresh.then((answer) => (answer.status >= 500 ? saved : answer), () => saved);
  return Promise.race([answered, late]);
}

// A name with the content's hash never changes; any other is asked for first.
async function file(request) {
  const cache = await caches.open(CACHE);
  const saved = await cache.match(request, matching);
  if (saved && HASHED.test(new URL(request.url).pathname)) return saved;
  try {
    return await fetch(request);
  } catch (error) {
    if (saved) return saved;
    throw error;
  }
}
