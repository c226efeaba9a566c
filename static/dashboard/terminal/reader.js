// What reads a code in a picture: the browser's own reader where it knows QR codes, else the vendored one (WebAssembly).
// Everything happens on this device; no picture leaves it.

const FORMATS = ["qr_code"];

async function native() {
  if (!("BarcodeDetector" in globalThis)) return null;
  try {
    const known = await globalThis.BarcodeDetector.getSupportedFormats();
    return known.includes("qr_code") ? new globalThis.BarcodeDetector({ formats: FORMATS }) : null;
  } catch {
    return null;
  }
}

async function vendored(wasm) {
  const { BarcodeDetector, prepareZXingModule } = await import("../../vendor/barcode-detector/ponyfill.js");
  await prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  return new BarcodeDetector({ formats: FORMATS });
}

let reading = null;

// The reader, loaded once and only when a camera is there to need it. `wasm` is its address on our own origin.
export function reader(wasm) {
  reading ??= native().then((found) => found ?? vendored(wasm)).catch((error) => {
    reading = null;
    throw error;
  });
  return reading;
}
