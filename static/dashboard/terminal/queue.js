// Earns that could not be sent: kept under their own keys, sent in their order when the connection is back. A key counts
// once on the server, so whatever is cut off in the middle is simply sent again.

import { Refusal, Unreached, post } from "./api.js";
import * as shelf from "./shelf.js";
import { emit } from "./state.js";

const AT_ONCE = 25;
const AGAIN_AFTER = 15000;
const GIVEN_KEPT_FOR = 12 * 3600 * 1000;
// Refused for now: the same item may go through later (loyalty.services.batches says the same).
const PASSING = new Set([
  "card_busy", "idempotency_in_progress", "service_unavailable", "throttled", "occurred_at_invalid", "permission_denied",
  "not_authenticated", "server_error",
]);
// The server keeps nothing of these: nobody else will decide.
const LOST = new Set(["validation_error", "already_resolved"]);

let store = "";
let till = "";
let items = [];
let sending = false;
let timer;
let refusedWhole = null; // the code with which the server refused a whole batch

export const WAITING = "waiting";

export async function setUp(root) {
  store = root.dataset.store;
  till = root.dataset.till;
  await reload();
  const old = items.filter((item) => item.state === "given" && Date.now() - Date.parse(item.answered_at) > GIVEN_KEPT_FOR);
  if (old.length) await forget(old);
}

async function reload() {
  items = await shelf.all().catch(() => items);
  emit("queue", facts());
}

export const waiting = () => items.filter((item) => item.state === WAITING);
export const answered = () => items.filter((item) => item.state !== WAITING);
// What another pairing of this device saved: it is not sent before somebody decides.
export const held = () => waiting().filter((item) => !mine(item) || refusedWhole === 401);
export const signedOut = () => refusedWhole === 401;

const mine = (item) => item.store === store && (item.till === till || item.handed === till);

function facts() {
  const kept = waiting();
  return { count: kept.length, oldest: kept[0]?.occurred_at ?? null, answered: answered().length, held: held().length };
}

export const now = facts;

// Keep an operation for later; returns its place in the queue. Raises when this browser cannot write.
export async function keep(op, staff, unsure) {
  const item = {
    key: op.key, op: op.op, occurred_at: op.made_at, body: op.body, staff_session: staff?.token ?? null,
    staff: staff ? { id: staff.id, name: staff.name } : null, unproven: Boolean(staff?.unproven),
    label: op.card.label, card_number: op.card.card_number ?? "", store, till, state: WAITING, unsure,
  };
  let seq;
  try {
    seq = await shelf.add(item);
  } catch (error) {
    // The key is here already: the same tap was kept before.
    if (error?.name !== "ConstraintError") throw error;
    seq = (await shelf.all()).find((kept) => kept.key === op.key)?.seq;
  }
  await reload();
  soon(unsure ? 1500 : AGAIN_AFTER);
  return seq;
}

// Take a kept operation out again, if nothing of it was sent. Returns whether it is out.
export async function takeOut(seq) {
  const item = items.find((kept) => kept.seq === seq);
  if (sending || !item || item.state !== WAITING || item.unsure || item.tried) return false;
  await shelf.drop(seq);
  await reload();
  return true;
}

export async function forget(gone) {
  await shelf.dropMany(gone.map((item) => item.seq));
  await reload();
}

// A manager hands over what another pairing saved: it is sent from here, and judged as what it is.
export async function handOver() {
  for (const item of held()) await shelf.change(item.seq, (kept) => ({ ...kept, handed: till, store_was: kept.store, store }));
  refusedWhole = null;
  await reload();
  return send();
}

export function soon(wait = AGAIN_AFTER) {
  clearTimeout(timer);
  timer = setTimeout(send, wait);
}

// Send what waits. Two windows of one till take turns.
export async function send() {
  clearTimeout(timer);
  if (sending || !navigator.onLine) return;
  sending = true;
  emit("queue", facts());
  try {
    const results = navigator.locks
      ? await navigator.locks.request("till-queue", { ifAvailable: true }, (lock) => (lock ? rounds() : null))
      : await rounds();
    if (results?.length) emit("queue-sent", results);
  } finally {
    sending = false;
    emit("queue", facts());
    if (waiting().some(mine) && refusedWhole !== 401) soon();
  }
}

export const isSending = () => sending;

async function rounds() {
  const results = [];
  const done = new Set();
  await reload();
  for (;;) {
    const next = waiting().filter((item) => mine(item) && !done.has(item.key)).slice(0, AT_ONCE);
    if (!next.length) return results;
    next.forEach((item) => done.add(item.key));
    const answers = await round(next);
    if (!answers) return results;
    results.push(...answers);
  }
}

// One batch: null when it did not get through.
async function round(batch) {
  for (const item of batch) if (!item.tried) await shelf.change(item.seq, (kept) => ({ ...kept, tried: true }));
  let answer;
  try {
    answer = await post("terminal/batch", { operations: batch.map(asSent) });
    refusedWhole = null;
  } catch (error) {
    if (error instanceof Refusal) refusedWhole = error.status;
    else if (!(error instanceof Unreached)) throw error;
    await reload();
    if (refusedWhole === 401) emit("queue-held");
    return null;
  }
  const byKey = new Map(answer.results.map((result) => [result.key, result]));
  const settled = [];
  for (const item of batch) {
    const verdict = judge(byKey.get(item.key));
    if (!verdict) continue;
    settled.push({ ...item, ...verdict });
    // The session has done its work: it is not kept any longer than needed.
    await shelf.change(item.seq, (kept) => ({ ...kept, ...verdict, staff_session: null }));
  }
  await reload();
  return settled;
}

function asSent(item) {
  const who = item.staff_session ? { staff_session: item.staff_session } : item.staff ? { staff_id: item.staff.id } : {};
  return { key: item.key, op: item.op, occurred_at: item.occurred_at, ...item.body, ...who };
}

// What an answer means for the item: given, with a manager, refused; null when it is to be sent again.
function judge(result) {
  if (!result || result.status >= 500) return null;
  const { status, body } = result;
  const answered_at = new Date().toISOString();
  if (status < 300) return { state: "given", answer: summary(body), answered_at };
  if (PASSING.has(body.code)) return null;
  const facts = { code: body.code, detail: body.detail ?? "", at: body.next_stamp_available_at ?? body.resets_at ?? null };
  return { state: LOST.has(body.code) ? "refused" : "review", answer: facts, answered_at };
}

function summary(body) {
  const { stamps_added, stamp_count, stamps_target, reward_earned, reward_description, points_earned, points_balance } = body;
  return { stamps_added, stamp_count, stamps_target, reward_earned, reward_description, points_earned, points_balance };
}

// The queue as a file for a manager: what was done, by whom, on which card; no session, no PIN.
export function asFile() {
  const rows = waiting().map(({ key, op, occurred_at, body, staff, card_number, store: place }) => (
    { key, op, occurred_at, ...body, card_number: card_number || body.card_number, staff: staff?.name ?? null, store: place }
  ));
  return new Blob([JSON.stringify({ saved_at: new Date().toISOString(), operations: rows }, null, 2)], { type: "application/json" });
}

export const asDiscarded = () => held().map(({ key, op, occurred_at, body, staff }) => ({
  key, op, occurred_at, staff: staff?.id ?? null, quantity: body.quantity ?? null, cents: body.purchase_amount_cents ?? null,
}));
