// Keeps the last state of a customer's card for times without a network: the card page, its files, and nothing else.
// A copy goes as soon as a page of the store is shown without a card, and all of them go with everything that is sent
// from here (erasing, another card by a link), before it is known what comes of it.

const PAGES = "card-pages-1";
const FILES = "card-files-1";
const CARD_PAGE = /^\/loyalty\/[^/]+\/dashboard$/;
const FILE = /^\/(static|theme|media)\//;
const MAX_AGE = 90 * 24 * 3600 * 1000;
const BUSY = 429;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (request.method === "GET") event.respondWith(visit(request, url.pathname));
    else event.waitUntil(caches.delete(PAGES));
  } else if (request.method === "GET" && FILE.test(url.pathname)) {
    event.respondWith(file(request));
  }
});

self.addEventListener("message", (event) => {
  const { page, files } = event.data ?? {};
  if (CARD_PAGE.test(page)) event.waitUntil(Promise.all([copy(page), copyFiles(files)]));
});

async function visit(request, path) {
  const isCard = CARD_PAGE.test(path);
  let answer;
  try {
    answer = await fetch(request);
  } catch (error) {
    const kept = isCard && (await keptPage(path));
    if (kept) return kept;
    throw error;
  }
  if (isCard && (answer.status >= 500 || answer.status === BUSY)) return (await keptPage(path)) ?? answer;
  await note(path, answer, isCard && !new URL(request.url).search);
  return answer;
}

// Remembers the card page, or forgets the store's when there is no card any more.
async function note(path, answer, isCard) {
  const pages = await caches.open(PAGES);
  if (isCard && answer.ok && answer.headers.get("X-Card-Copy") !== "drop") await pages.put(path, answer.clone());
  else if (isCard || answer.headers.get("X-Card-Copy") === "drop") await pages.delete(cardPageOf(path));
}

function cardPageOf(path) {
  return `/loyalty/${path.split("/")[2] ?? ""}/dashboard`;
}

async function keptPage(path) {
  const pages = await caches.open(PAGES);
  const kept = await pages.match(path, { ignoreVary: true });
  if (!kept) return undefined;
  const made = Date.parse(kept.headers.get("Date") ?? "");
  if (Date.now() - made <= MAX_AGE) return kept;
  await pages.delete(path);
  return undefined;
}

async function copy(page) {
  const answer = await fetch(page, { cache: "no-store", credentials: "same-origin", redirect: "manual" });
  if (answer.status < 500 && answer.status !== BUSY) await note(page, answer, true);
}

async function copyFiles(files) {
  const kept = await caches.open(FILES);
  const wanted = new Set((files ?? []).filter((path) => FILE.test(path)));
  for (const request of await kept.keys()) {
    if (!wanted.has(new URL(request.url).pathname)) await kept.delete(request);
  }
  await Promise.all([...wanted].map(async (path) => (await kept.match(path)) ?? kept.add(path)));
}

async function file(request) {
  const kept = await caches.open(FILES);
  return (await kept.match(request, { ignoreVary: true })) ?? fetch(request);
}
