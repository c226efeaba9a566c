// Keys of the till. Letters can be switched off; Enter and Escape always work.

import { quietly } from "./focus.js";

const AFTER_SCANNER = 80; // a scanner's next key would have come by then
const AFTER_LETTER = 400; // in the empty search field: a name would have gone on by then
const STORED = "till-keys";

let searching = false; // somebody chose the search field: letters are letters there

const editable = (element) => element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement;

function stored() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true;
  }
}

export function setUp({ field, wedge, commands }) {
  const toggle = document.getElementById("keys-on");
  toggle.checked = stored();
  toggle.addEventListener("change", () => {
    try {
      localStorage.setItem(STORED, toggle.checked ? "on" : "off");
    } catch {
      // Without storage the choice holds until the page is left.
    }
  });
  field.addEventListener("pointerdown", () => { searching = true; });
  field.addEventListener("blur", () => { searching = false; });

  const letters = { u: commands.undo, l: commands.lock };
  const here = (event) => !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;

  document.addEventListener("keydown", (event) => {
    if (!here(event) || document.querySelector("dialog[open]")) return;
    const target = event.target;
    if (event.key === "Escape") {
      if (target === field && field.value) field.value = "";
      else commands.close();
      return;
    }
    if (event.key === "Enter") {
      if (event.repeat || editable(target) || target.closest("button, a, summary")) return;
      event.preventDefault();
      commands.give();
      return;
    }
    if (editable(target) && target !== field) return;
    if (target !== field && commands.type(event)) {
      event.preventDefault();
      return;
    }
    if (toggle.checked && !event.repeat) shortcut(event, target);
  });

  function shortcut(event, target) {
    const inField = target === field;
    if (wedge.isTyping() || (inField && (field.value || searching))) return;
    if (event.key === "/") {
      event.preventDefault();
      searching = true;
      quietly(field);
      searching = true;
    } else if (event.key === "?") {
      event.preventDefault();
      commands.help();
    } else {
      const run = letters[event.key.toLowerCase()];
      if (run) later(event.key, inField, run);
    }
  }

  function later(key, inField, run) {
    setTimeout(() => {
      if (inField && field.value !== key) return;
      if (wedge.isTyping()) return;
      if (inField) field.value = "";
      run();
    }, inField ? AFTER_LETTER : AFTER_SCANNER);
  }
}
