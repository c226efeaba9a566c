// Names that the admin leaves out: of its search field, and of the boxes that searching selects draw of their own.

const content = document.getElementById("content");

const nameAll = () => {
  const search = document.getElementById("searchbar");
  if (search) search.setAttribute("aria-label", search.form.querySelector("[type=submit]").value);
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const name = select.getAttribute("aria-label") ?? select.labels[0]?.textContent.trim();
    const box = select.nextElementSibling?.querySelector("[role=textbox]");
    if (box && name) box.setAttribute("aria-label", name);
  }
};

// A table that scrolls sideways and holds nothing to step to is stepped to itself, so that keys scroll it.
for (const group of document.querySelectorAll(".inline-group")) {
  if (!group.querySelector("a[href], button, input:not([type=hidden]), select, textarea")) group.tabIndex = 0;
}

nameAll();
// The boxes come when the admin's own scripts are ready.
if (content) new MutationObserver(nameAll).observe(content, { childList: true, subtree: true });
