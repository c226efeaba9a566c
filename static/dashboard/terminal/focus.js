// Where the focus goes, without a keyboard popping up on tablets that have their keys on the page.

const coarse = window.matchMedia("(pointer: coarse)");

// Focus a field that hardware keys and scanners may type into; a tap on it brings the tablet's own keyboard.
export function quietly(input) {
  const own = input.dataset.inputmode ?? input.inputMode;
  input.dataset.inputmode = own;
  if (coarse.matches) input.inputMode = "none";
  input.focus({ preventScroll: true });
  if (input.dataset.wakes) return;
  input.dataset.wakes = "yes";
  input.addEventListener("pointerdown", () => {
    if (input.inputMode !== "none") return;
    input.inputMode = input.dataset.inputmode || "text";
    input.blur();
  });
}

// Pressing these keys leaves the focus where it is, so that Enter afterwards means what it meant before.
export function keepFocus(root) {
  root.addEventListener("mousedown", (event) => event.preventDefault());
}
