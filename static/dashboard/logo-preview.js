// The logo on the passes as soon as it is chosen; what is kept of it, and whether, the server decides.

const LARGEST = 5_000_000;

export function watchLogo() {
  const field = document.querySelector("input[type=file][name=image]");
  const places = [...document.querySelectorAll(".pass-logo")];
  if (!field || !places.length) return;
  const before = places.map((place) => place.cloneNode(true));
  let shown = "";
  field.addEventListener("change", () => {
    if (shown) URL.revokeObjectURL(shown);
    const file = field.files?.[0];
    shown = file && file.size <= LARGEST ? URL.createObjectURL(file) : "";
    document.querySelectorAll(".pass-logo").forEach((place, at) => {
      place.replaceWith(shown ? picture(place, shown) : before[at].cloneNode(true));
    });
  });
}

function picture(place, url) {
  const image = Object.assign(new Image(32, 32), { alt: "", src: url, className: place.getAttribute("class") });
  image.classList.add("pass-logo-new");
  return image;
}
