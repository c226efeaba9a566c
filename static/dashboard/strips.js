// A row of links that is wider than the phone: the one we are at stands in sight, and a soft edge says that more follow.

function show(strip) {
  const here = strip.querySelector("[aria-current]");
  if (!here) return;
  const box = strip.getBoundingClientRect();
  const at = here.getBoundingClientRect();
  strip.scrollLeft += at.left - box.left - (box.width - at.width) / 2;
}

function edges(strip) {
  strip.classList.toggle("more-before", strip.scrollLeft > 4);
  strip.classList.toggle("more-after", strip.scrollLeft + strip.clientWidth < strip.scrollWidth - 4);
}

document.querySelectorAll(".seg-scroll").forEach((strip) => {
  show(strip);
  edges(strip);
  strip.addEventListener("scroll", () => edges(strip), { passive: true });
  new ResizeObserver(() => edges(strip)).observe(strip);
});
