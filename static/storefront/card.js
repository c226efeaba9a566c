// The card page while it is looked at: true to the minute, its code large on a tap, and there without a network.

import { keepAwake } from "./awake.js";
import { keepCopy } from "./copy.js";
import { watch } from "./live.js";

const card = document.getElementById("card");
const dialog = document.querySelector("dialog[data-awake]");

if (dialog instanceof HTMLDialogElement) {
  keepAwake(dialog);
  // A tap anywhere closes it; the page's script does that for the button and the edges.
  dialog.addEventListener("click", () => dialog.open && dialog.close());
}
if (card) {
  const keep = keepCopy(card.dataset);
  watch(card, { changed: keep });
}
