// Where cards come from. A source is `{start(onScan)}` and calls `onScan({kind, value})`; a camera is one more of them.

const NUMBER_DIGITS = 12;
const FAST = 60; // ms between the keys of a scanner that types into a field
const SLOW = 1000; // the same where nobody types by hand

// What a text stands for: the code of a card, its number, or something to search for.
export function read(text) {
  const value = text.trim();
  const address = value.match(/\/c\/([A-Za-z0-9_-]{8,64})\/?(?:[?#].*)?$/);
  if (address) return { kind: "qr_code", value: address[1] };
  const digits = value.replace(/[\s.·•-]/g, "");
  if (/^\d+$/.test(digits) && digits.length === NUMBER_DIGITS) return { kind: "card_number", value: digits };
  if (/^[A-Za-z0-9_-]{22}$/.test(value)) return { kind: "qr_code", value };
  return value ? { kind: "query", value } : null;
}

// The field that everybody sees: typed text and Enter.
export function fieldSource(form, input) {
  return {
    start(onScan) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const found = read(input.value);
        if (found) onScan(found);
        else input.focus();
      });
    },
  };
}

// A scanner that types like a keyboard, wherever the focus is: a burst of keys that spells a code, then Enter.
export function wedgeSource(ownField) {
  let typed = "";
  let lastAt = 0;

  function isEditable(element) {
    return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement || element?.isContentEditable;
  }

  // Take back what the scanner typed into a field that was meant for something else.
  function takeBack(element) {
    if (!isEditable(element) || typeof element.value !== "string") return;
    if (element.value.endsWith(typed)) element.value = element.value.slice(0, -typed.length);
    else if (element.maxLength > 0) element.value = "";
    element.dispatchEvent(new Event("input", { bubbles: true }));
  }

  return {
    start(onScan) {
      document.addEventListener("keydown", (event) => {
        if (event.target === ownField || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
        const gap = event.timeStamp - lastAt;
        if (event.key === "Enter") {
          const found = typed.length >= NUMBER_DIGITS ? read(typed) : null;
          const inTime = gap < (isEditable(event.target) ? FAST * 5 : SLOW);
          if (found && found.kind !== "query" && inTime) {
            event.preventDefault();
            event.stopImmediatePropagation();
            takeBack(event.target);
            onScan(found);
          }
          typed = "";
          return;
        }
        if (event.key.length !== 1) return;
        typed = gap < (isEditable(event.target) ? FAST : SLOW) ? typed + event.key : event.key;
        lastAt = event.timeStamp;
      }, { capture: true });
    },
    // Whether a scanner may be typing at this moment: single keys are then no commands.
    isTyping: () => typed.length > 1 && performance.now() - lastAt < FAST * 2,
  };
}
