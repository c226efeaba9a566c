// What happened on a card: to read, and to take back while that is possible.

import { Refusal, get } from "./api.js";
import { $, act, busy, clone, fill, say, show } from "./dom.js";
import { note as remember } from "./foresee.js";
import { operation, send, undoableUntil } from "./operations.js";
import { words } from "./refusal.js";
import { clock, knows, moment, number, t } from "./words.js";

let windowMinutes = 10;

export function setUp(root) {
  windowMinutes = Number(root.dataset.voidMinutes);
}

// Rows come newest first; those of one operation share a key and are put back into the order in which they were written.
function operations(rows) {
  const seen = new Map();
  for (const row of rows) {
    const key = row.idempotency_key ?? row.id;
    seen.set(key, [row, ...(seen.get(key) ?? [])]);
  }
  return [...seen.values()].map((group) => ({
    rows: group,
    main: group.find((row) => undoableUntil(row, windowMinutes)) ?? group.find((row) => row.stamps_delta > 0 || row.points_delta > 0) ?? group[0],
  }));
}

const signed = (delta) => ({ sign: delta > 0 ? "+" : "−", count: Math.abs(delta) });

function title({ main, rows }) {
  if (main.type === "stamp_redeemed" || main.type === "points_redeemed") return main.reward?.name ?? t("row_redeemed");
  const given = [];
  for (const row of rows) {
    if (row.type === "reward_issued") given.push(row.reward?.name ? t("reward_ready", { name: row.reward.name }) : t("row_reward_issued"));
    else if (row.stamps_delta) given.push(t("row_stamps", signed(row.stamps_delta)));
    if (row.points_delta) given.push(t("row_points", signed(row.points_delta)));
  }
  const name = `row_${main.type}`;
  if (knows(name) && main.type !== "reward_issued") return [t(name), ...given].join(" · ");
  return given.join(" · ") || (main.purchase_amount_cents ? t("row_points", { sign: "", count: 0 }) : number(0));
}

function note({ main }) {
  const done = main.reversed_by ? t("row_was_undone") : null;
  return [moment(main.occurred_at), main.staff?.name, main.store?.name, done].filter(Boolean).join(" · ");
}

// Show the rows; with `correcting` only those that can be taken back. `back` leads to the card, `denied` handles a PIN.
export async function history(card, { correcting, back, denied, afresh }) {
  const root = clone("history");
  for (const part of ["title", "intro"]) {
    root.querySelectorAll(`[data-part^=${part}]`).forEach((element) => {
      element.hidden = element.dataset.part !== `${part}-${correcting ? "correct" : "history"}`;
    });
  }
  act(root, "back", back);
  show("history", root);
  try {
    const answer = await get(`cards/${card.id}/transactions?page_size=20`);
    const found = operations(answer.results).filter(({ main }) => !correcting || undoableUntil(main, windowMinutes));
    $(`[data-part=none-${correcting ? "correct" : "history"}]`, root).hidden = found.length > 0;
    $("[data-list=rows]", root).replaceChildren(...found.map((entry) => row(root, card, entry, { correcting, back, denied, afresh })));
  } catch (error) {
    fill(root, { error: error instanceof Refusal ? error.detail : t("lookup_lost") });
  }
}

function row(root, card, entry, options) {
  const line = fill(clone("row"), { title: title(entry), note: note(entry) });
  const until = options.correcting && undoableUntil(entry.main, windowMinutes);
  const button = $("button", line);
  if (!until) return line;
  button.hidden = false;
  fill(line, { note: `${note(entry)} · ${t("undo_until", { time: clock(until) })}` });
  const op = operation("void", card, { reason: t("correct_reason") }, entry.main.id);
  button.addEventListener("click", () => undo(line, button, op, options));
  return line;
}

async function undo(line, button, op, options) {
  if (button.hasAttribute("aria-busy")) return;
  busy(button, true);
  fill(line, { error: "" });
  try {
    await send(op);
    remember(op.card, null);
    say(t("undone", { name: op.card.label }));
    options.back();
  } catch (error) {
    busy(button, false);
    if (error instanceof Refusal && error.facts.fresh) {
      options.afresh(op);
      return;
    }
    if (error instanceof Refusal && error.code === "staff_pin_required") {
      options.denied(() => history(op.card, options));
      return;
    }
    const { title: what, text } = words(error);
    const refused = [what, text].filter(Boolean).join(" ");
    fill(line, { error: refused });
    say(refused, { now: true });
  }
}
