// A merchant's colour as merchants/rules/colours.py sees it (a test holds one against the other), and a shade that reads.

const WHITE = "#FFFFFF";
const INK = "#1B1C2E";
const BLACK = "#000000";
const GOLD_LIGHT = "#FFD98A";
const GOLD_DARK = "#6E4700";
export const READABLE = 4.5;
// Stamps are large: they need less against the light tray (WCAG 1.4.11).
export const SEEN = 3;

export const isColour = (text) => /^#[0-9a-f]{6}$/i.test(text);

const channels = (colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));

function luminance(colour) {
  const [red, green, blue] = channels(colour).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

export function contrast(first, second) {
  const [dark, light] = [luminance(first), luminance(second)].sort((one, two) => one - two);
  return (light + 0.05) / (dark + 0.05);
}

export function mix(colour, other, share) {
  const [from, to] = [channels(colour), channels(other)];
  const parts = from.map((one, at) => Math.trunc(one + (to[at] - one) * share + 0.5));
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("").toUpperCase()}`;
}

const textOn = (base) => [WHITE, INK].find((text) => contrast(text, base) >= READABLE) ?? BLACK;

function shade(base, towards, text, shares) {
  return shares.map((share) => mix(base, towards, share)).find((one) => contrast(text, one) >= READABLE) ?? base;
}

function stampOf(base) {
  const shades = Array.from({ length: 21 }, (_, step) => mix(base, BLACK, step / 20));
  return shades.find((one) => contrast(one, WHITE) >= READABLE);
}

// The custom properties of theme.css.
export function palette(colour) {
  const base = colour.toUpperCase();
  const on = textOn(base);
  const light = shade(base, WHITE, on, [0.12, 0.08, 0.04]);
  const deep = shade(base, BLACK, on, [0.25, 0.15, 0.05]);
  const accent = on === WHITE ? GOLD_LIGHT : GOLD_DARK;
  const reads = [base, light].every((ground) => contrast(accent, ground) >= READABLE);
  return {
    merchant: base, "merchant-light": light, "merchant-deep": deep, "on-merchant": on,
    "on-merchant-accent": reads ? accent : on, "on-merchant-wash": `${on}24`, stamp: stampOf(base),
  };
}

// How well our two text colours read on it, the better one counts; and the stamps on the tray.
export function verdict(colour) {
  const writing = Math.max(contrast(WHITE, colour), contrast(INK, colour));
  const stamps = contrast(colour, WHITE);
  return { writing, stamps, passes: writing >= READABLE && stamps >= SEEN };
}

// The nearest shade that passes both, darker or lighter.
export function nearest(colour) {
  for (let step = 1; step <= 100; step += 1) {
    const found = [BLACK, WHITE].map((end) => mix(colour, end, step / 100)).find((one) => verdict(one).passes);
    if (found) return found;
  }
  return INK;
}
