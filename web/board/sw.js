// Keeps the files of the page, so that it opens without a network. They come from the network while there is one.
const KEPT = "board";
const PACKAGE = ["index", "worker", "client", "errors", "keys", "module", "storage", "transport", "wasm/rootfold_wasm"];
const FILES = [
  "./",
  "board.css",
  "board.js",
  ...PACKAGE.map((name) => `rootfold/${name}.js`),
  "rootfold/wasm/rootfold_wasm_bg.wasm",
];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(FILES)));
  self.skipWaiting();
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  event.respondWith(answer(request));
});

async function answer(request) {
  const kept = await caches.open(KEPT);
  try {
    const response = await fetch(request);
    if (response.ok) await kept.put(request, response.clone());
    return response;
  } catch (error) {
    const before = await kept.match(request, { ignoreSearch: true });
    if (before) return before;
    throw error;
  }
}
