// A new card: the customer scans the code, or staff type what the customer says.

import { Refusal, newKey, post } from "./api.js";
import { $, act, busy, clone, fill, say, show } from "./dom.js";
import { words } from "./refusal.js";
import { t } from "./words.js";

// Show the page of a new card. `made(card)` gets the card that staff typed.
export function newCard({ close, made }) {
  const root = clone("new");
  const form = $("form", root);
  let key = newKey();
  act(root, "close", close);
  show("new", root);
  form.addEventListener("input", () => { key = newKey(); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = $("[type=submit]", form);
    if (button.hasAttribute("aria-busy")) return;
    busy(button, true);
    clearErrors(form);
    try {
      const card = await post("cards/enroll", typed(form), { key });
      say(t("joined", { number: card.card_number }));
      made(card);
    } catch (error) {
      showErrors(form, error);
    } finally {
      busy(button, false);
    }
  });
}

function typed(form) {
  const body = {};
  for (const [name, value] of new FormData(form)) if (value.trim()) body[name] = value.trim();
  return body;
}

function clearErrors(form) {
  fill(form, { error: "" });
  form.querySelectorAll("[data-error]").forEach((line) => { line.hidden = true; });
  form.querySelectorAll("[aria-invalid]").forEach((input) => input.removeAttribute("aria-invalid"));
}

function showErrors(form, error) {
  const errors = error instanceof Refusal ? error.facts.errors ?? [] : [];
  let first = null;
  for (const { field, detail } of errors) {
    const line = form.querySelector(`[data-error="${CSS.escape(field)}"]`);
    if (!line) continue;
    line.textContent = detail;
    line.hidden = false;
    const input = form.elements[field];
    input.setAttribute("aria-invalid", "true");
    first ??= input;
  }
  if (first) {
    first.focus();
    return;
  }
  const { title, text } = words(error);
  const refused = [title, text].filter(Boolean).join(" ");
  fill(form, { error: refused });
  say(refused, { now: true });
}
