// What makes pages nicer, never what makes them work: busy buttons, second taps, dialogs, toasts, menus.

const BUSY_FOR = 15000;
const TOAST_FOR = 6000;
const UNDO_TOAST_FOR = 10000;

function markBusy(form, submitter) {
  form.dataset.sending = "yes";
  if (submitter) {
    submitter.style.setProperty("min-width", `${submitter.offsetWidth}px`);
    submitter.setAttribute("aria-busy", "true");
  }
  window.setTimeout(() => release(form), BUSY_FOR);
}

function release(form) {
  delete form.dataset.sending;
  form.querySelectorAll("[aria-busy]").forEach((button) => {
    button.removeAttribute("aria-busy");
    button.style.removeProperty("min-width");
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sending) {
    event.preventDefault();
    return;
  }
  if (!event.defaultPrevented && form.method !== "dialog" && form.target !== "_blank" && !("download" in form.dataset)) {
    markBusy(form, event.submitter);
  }
});

// Back in the history shows a page from memory: its buttons are free again.
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sending]").forEach(release));
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest("form");
  if (form) release(form);
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens);
  if (dialog instanceof HTMLDialogElement) {
    event.preventDefault();
    dialog.showModal();
    return;
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog")?.close();
  if (event.target instanceof HTMLDialogElement) event.target.close();
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest?.("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A select that stands for itself sends its form at once; without this script a button beside it does.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
});

document.addEventListener("htmx:afterSwap", (event) => {
  const heading = event.target.querySelector("[data-focus], h1, h2");
  if (heading) {
    heading.tabIndex = -1;
    heading.focus();
  }
});

export function toast(text, undo) {
  const region = document.getElementById("live");
  const line = document.createElement("div");
  line.className = "toast-line";
  line.append(Object.assign(document.createElement("span"), { textContent: text }));
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-quiet";
  button.textContent = undo ? undo.label : region.dataset.close;
  button.addEventListener("click", () => {
    line.remove();
    undo?.run();
  });
  line.append(button);
  region.append(line);
  const leave = () => (line.contains(document.activeElement) ? window.setTimeout(leave, 1000) : line.remove());
  window.setTimeout(leave, undo ? UNDO_TOAST_FOR : TOAST_FOR);
}

document.documentElement.classList.add("js");
document.querySelector("main [data-focus]")?.focus();
