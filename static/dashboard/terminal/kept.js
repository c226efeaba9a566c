// What this till saved without a connection: the list, the results, and what becomes of a queue that may not be sent.

import { Refusal, discard } from "./api.js";
import { $, act, busy, clone, fill, say, show, view } from "./dom.js";
import { age } from "./net.js";
import * as queue from "./queue.js";
import { reason } from "./refusal.js";
import { on } from "./state.js";
import { amount, moment, t } from "./words.js";
import { toast } from "../../core/app.js";

let handlers = {};
let root = null;

export function setUp(given) {
  handlers = given;
  document.querySelectorAll("[data-opens-kept]").forEach((button) => button.addEventListener("click", open));
  on("queue", () => { if (view() === "kept" && root?.isConnected) draw(); });
  on("queue-sent", tell);
  on("queue-held", () => { if (["idle", "people", "done"].includes(view())) open(); });
}

// The results of a replay: a word when all is well, the list when something waits for a person.
function tell(results) {
  const given = results.filter((item) => item.state === "given").length;
  const rest = results.length - given;
  if (rest && view() === "done") {
    setTimeout(tell, 1000, results);
    return;
  }
  const words = rest ? t("sent_some", { count: rest, given }) : t("sent_all", { count: given });
  if (rest && ["idle", "people", "kept"].includes(view())) open();
  else toast(words, { label: t("show_them"), run: open });
  say(words, { now: rest > 0 });
}

export function open() {
  root = show("kept", clone("kept"));
  act(root, "close", handlers.close);
  act(root, "file", save);
  act(root, "hand-over", (_, button) => handOver(button));
  act(root, "clear", () => queue.forget(queue.answered()).then(handlers.close));
  act(root, "send", () => queue.send());
  act(root, "pair", () => window.location.assign(handlers.pairUrl));
  const form = $("form", root);
  form?.addEventListener("submit", (event) => { event.preventDefault(); discardAll(form); });
  draw();
}

function draw() {
  const waiting = queue.waiting();
  const answered = queue.answered();
  const held = queue.held().length;
  fill(root, {
    lead: held ? null : waiting.length ? t("kept_lead", { count: waiting.length, age: age(waiting[0].occurred_at) }) : t("kept_none"),
    held: held ? t(queue.signedOut() ? "held_signed_out" : "held_other", { count: held }) : null,
  });
  $("[data-part=held]", root).hidden = !held;
  root.querySelectorAll("[data-when]").forEach((part) => {
    part.hidden = !held || (part.dataset.when === "signed-out") !== queue.signedOut();
  });
  $("[data-act=clear]", root).hidden = !answered.length;
  $("[data-act=file]", root).hidden = !waiting.length;
  $("[data-act=send]", root).hidden = !waiting.length || held > 0;
  $("[data-list=kept]", root).replaceChildren(...[...waiting, ...answered].map(row));
}

const what = ({ op, body }) => (op === "points" ? amount(body.purchase_amount_cents)
  : t("row_stamps", { sign: "+", count: body.quantity ?? 1 }));

function row(item) {
  const line = fill(clone("kept-row"), {
    title: `${what(item)} · ${item.label}`,
    note: [moment(item.occurred_at), item.staff?.name].filter(Boolean).join(" · "),
    state: t(`state_${item.state}`),
    why: why(item),
  });
  line.dataset.state = item.state;
  line.dataset.key = item.key;
  $(".chip", line).classList.add({ given: "chip-ok", review: "chip-warn", refused: "chip-bad" }[item.state] ?? "chip-plain");
  return line;
}

function why({ state: now, answer, unproven }) {
  if (now === "review" || now === "refused") return answer.code === "staff_pin_required" ? t("kept_unproven") : reason(answer);
  if (now === "given" && answer.reward_earned) return t("reward_ready", { name: answer.reward_description });
  if (now === "given" && answer.stamp_count !== undefined) return t("count_of", { count: answer.stamp_count, target: answer.stamps_target });
  if (now === "given" && answer.points_balance !== undefined) return t("points", { count: answer.points_balance });
  return unproven ? t("kept_unproven") : null;
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(queue.asFile());
  link.download = `${t("kept_file")}-${new Date().toISOString().slice(0, 10)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function handOver(button) {
  busy(button, true);
  await queue.handOver();
  busy(button, false);
}

// Throw away what waits, with a reason that the server notes: only a manager who is signed in may.
async function discardAll(form) {
  const button = $("[type=submit]", form);
  if (button.hasAttribute("aria-busy")) return;
  busy(button, true);
  fill(form, { error: "" });
  const gone = queue.held();
  try {
    await discard(handlers.discardUrl, { reason: form.elements.reason.value, items: JSON.stringify(queue.asDiscarded()) });
    await queue.forget(gone);
    say(t("discarded", { count: gone.length }));
    handlers.close();
  } catch (error) {
    fill(form, { error: error instanceof Refusal ? error.facts.errors?.[0]?.detail ?? t("refused_title") : t("discard_lost") });
    form.elements.reason.focus();
  } finally {
    busy(button, false);
  }
}
