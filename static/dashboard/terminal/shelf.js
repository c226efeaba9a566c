// What outlives a reload of the till: earns that wait for the connection, and the names of the people. IndexedDB, on this
// device only; it never holds a PIN.

const NAME = "till";
const VERSION = 1;
const KEPT = "kept"; // items of the queue, in the order in which they were done
const FACTS = "facts"; // single values by name

let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      const kept = request.result.createObjectStore(KEPT, { keyPath: "seq", autoIncrement: true });
      kept.createIndex("key", "key", { unique: true });
      request.result.createObjectStore(FACTS);
    };
    request.onsuccess = () => {
      // Another window of this till may bring a newer layout.
      request.result.onversionchange = () => { request.result.close(); opening = null; };
      resolve(request.result);
    };
    request.onerror = () => { opening = null; reject(request.error); };
  });
  return opening;
}

// Run `work(store)` in one transaction; the promise is kept once the browser has really written it.
async function within(name, mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(name, mode, mode === "readwrite" ? { durability: "strict" } : {});
    const request = work(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = () => reject(transaction.error ?? new Error("not written"));
  });
}

export const add = (item) => within(KEPT, "readwrite", (store) => store.add(item));
export const all = () => within(KEPT, "readonly", (store) => store.getAll());
export const drop = (seq) => within(KEPT, "readwrite", (store) => store.delete(seq));
export const dropMany = (seqs) => within(KEPT, "readwrite", (store) => { seqs.forEach((seq) => store.delete(seq)); });

// Change an item as it stands now; one that is gone stays gone. `edit` returns what becomes of it, null leaves it.
export const change = (seq, edit) => within(KEPT, "readwrite", (store) => {
  const reading = store.get(seq);
  reading.onsuccess = () => {
    const next = reading.result && edit(reading.result);
    if (next) store.put(next);
  };
});

export const remember = (name, value) => within(FACTS, "readwrite", (store) => store.put(value, name)).catch(() => {});
export const recall = (name) => within(FACTS, "readonly", (store) => store.get(name)).catch(() => undefined);
