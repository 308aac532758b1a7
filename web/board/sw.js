// Keeps the files of the page, so that it opens without a network. They come from the network while there is one.
const KEPT = "board";
const PACKAGE = [
  "addresses",
  "client",
  "errors",
  "files",
  "index",
  "keys",
  "module",
  "nodes",
  "pin",
  "reading",
  "session",
  "storage",
  "text",
  "transport",
  "watching",
  "worker",
  "writing",
  "wasm/rootfold_wasm",
];
const FILES = [
  "./",
  "board.css",
  "board.js",
  ...PACKAGE.map((name) => `rootfold/${name}.js`),
  "rootfold/wasm/rootfold_wasm_bg.wasm",
];
const OWN = new Set(FILES.map((file) => new URL(file, location).pathname));

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(FILES)));
  self.skipWaiting();
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  // Published files of a space may be beside the page. The client keeps those that it needs.
  if (!OWN.has(pathname) && request.mode !== "navigate") return;
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
