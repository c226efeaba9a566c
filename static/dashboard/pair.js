// Whoever pairs this device again learns that it holds something back.

import { all } from "./terminal/shelf.js";

const known = await indexedDB.databases?.().catch(() => []);
if (known?.some(({ name }) => name === "till")) {
  const items = await all().catch(() => []);
  document.getElementById("kept-here").hidden = !items.some((item) => item.state === "waiting");
}
