// The PIN pad on a customer's phone: keys for the field that works without them.

const pad = document.querySelector("[data-pad]");
const field = document.querySelector(".pin-form input[type=password]");

if (pad && field) {
  pad.hidden = false;
  // The phone's own keyboard would cover the pad; a real one still types into the field.
  field.inputMode = "none";
  pad.addEventListener("click", (event) => {
    const key = event.target.closest("button")?.dataset.key;
    if (!key) return;
    if (key === "back") field.value = field.value.slice(0, -1);
    else if (field.value.length < 8) field.value += key;
  });
}
