// The store API as the till calls it: one try, one polite second try where the server asks for it, and plain errors.

const TIMEOUT = 12000;
const BUSY = new Set(["card_busy", "idempotency_in_progress"]);

let base = "";
let store = "";

export function setUp(root) {
  base = root.dataset.api;
  store = root.dataset.store;
}

// The server understood and said no. `facts` is the problem document.
export class Refusal extends Error {
  constructor(status, facts, retryAfter) {
    super(facts.code ?? String(status));
    this.status = status;
    this.code = facts.code ?? "error";
    this.detail = facts.detail ?? "";
    this.facts = facts;
    this.retryAfter = retryAfter;
  }
}

// No answer came: the network is away, the server is, or it took too long. `sent` tells whether it may have arrived.
export class Unreached extends Error {
  constructor(sent) {
    super("unreached");
    this.sent = sent;
  }
}

// Nobody can say whether it was done: no answer came, or the same request is running still.
export const isOpen = (error) => error instanceof Unreached || error.code === "idempotency_in_progress";

// A key that makes a write count once; randomUUID exists on secure addresses only.
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function cookie(name) {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

function token() {
  // The cookie first: signing in elsewhere in this browser makes a new one.
  return cookie("csrftoken") || document.querySelector("meta[name=csrf-token]")?.content;
}

async function once(method, path, { body, key, signal, patience = TIMEOUT }) {
  // A device that knows that it has no network need not try.
  if (!navigator.onLine) throw new Unreached(false);
  const headers = {
    Accept: "application/json",
    "Accept-Language": document.documentElement.lang,
    "X-Store-Code": store,
  };
  if (body) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRFToken"] = token();
  if (key) headers["Idempotency-Key"] = key;
  const limit = AbortSignal.timeout(patience);
  let response;
  try {
    response = await fetch(base + path, {
      method,
      headers,
      body: body && JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: signal && AbortSignal.any ? AbortSignal.any([signal, limit]) : signal ?? limit,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreached(navigator.onLine);
  }
  const facts = await response.json().catch(() => ({}));
  if (response.ok) return facts;
  if (response.status >= 500 && response.status !== 503) throw new Unreached(true);
  throw new Refusal(response.status, facts, Number(response.headers.get("Retry-After")) || 0);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Call the API; a busy card is tried once more after a moment, under the same key.
export async function call(method, path, options = {}) {
  try {
    const answer = await once(method, path, options);
    document.dispatchEvent(new CustomEvent("till:reached"));
    return answer;
  } catch (error) {
    if (error instanceof Refusal && BUSY.has(error.code)) {
      await pause(Math.min(error.retryAfter * 1000 || 600, 2000));
      return once(method, path, options);
    }
    if (error instanceof Unreached) document.dispatchEvent(new CustomEvent("till:unreached"));
    throw error;
  }
}

// Tell the server that a manager threw a queue away, and why: a form of the back office, not of the API.
export async function discard(address, fields) {
  let response;
  try {
    response = await fetch(address, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": token() },
      body: new URLSearchParams(fields),
      credentials: "same-origin",
      redirect: "error",
    });
  } catch {
    throw new Unreached(navigator.onLine);
  }
  if (!response.ok) throw new Refusal(response.status, await response.json().catch(() => ({})), 0);
}

export const get = (path, options) => call("GET", path, options);
export const post = (path, body, options) => call("POST", path, { ...options, body });
