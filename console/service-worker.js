// Opens the console without a connection. It has the page and its files, and never a response of the API. The build
// writes its hash and its files into it: a new version of the console is a new service worker.
const CACHE = "console-__VERSION__";
const FILES = __FILES__;
const SHELL = new URL("shell", self.registration.scope).href;
/** The gateway writes the address of a CDN into it, or `console/`. */
const FOLDER = new URL("__FILES_URL__", self.registration.scope).href;
/** Paths of the server that are no pages of the console. */
const SERVER_PATHS = new Set(["api", "docs", "redoc", "openapi.json", "guide", "health", "metrics", ".well-known", "console"]);
/** A page that was open during an update still finds its files in the cache before. */
const KEPT_CACHES = 2;
const UNREACHABLE = new Set([502, 503, 504]);

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(install());
});
self.addEventListener("activate", (event) => event.waitUntil(Promise.all([forgetOldVersions(), self.clients.claim()])));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.url.startsWith(FOLDER)) event.respondWith(findFile(request));
  else if (request.mode === "navigate" && isPage(request.url)) event.respondWith(openPage(request));
});

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES.map((name) => FOLDER + name));
  const shell = await fetch(self.registration.scope, { headers: { Accept: "text/html" }, cache: "no-store" });
  const page = await shell.clone().text();
  // A page of another version than these files would not start.
  const names = [...page.matchAll(/\/console\/([\w.-]+)"/g)].map((found) => found[1]);
  if (!shell.ok || names.length === 0 || !names.every((name) => FILES.includes(name) || name.endsWith(".svg"))) {
    await caches.delete(CACHE);
    throw new Error("the page belongs to another version");
  }
  await cache.put(SHELL, shell);
}

async function forgetOldVersions() {
  const names = (await caches.keys()).filter((name) => name.startsWith("console-") && name !== CACHE);
  await Promise.all(names.slice(0, Math.max(0, names.length - KEPT_CACHES + 1)).map((name) => caches.delete(name)));
}

function isPage(url) {
  const path = url.slice(self.registration.scope.length);
  return url.startsWith(self.registration.scope) && !SERVER_PATHS.has(path.split(/[/?#]/)[0]);
}

/** Names have a hash of the content, so that a file in a cache is never out of date. */
async function findFile(request) {
  const found = await caches.match(request.url);
  if (found) return found;
  const response = await fetch(request);
  if (response.status === 200) (await caches.open(CACHE)).put(request.url, response.clone());
  return response;
}

/** From the server; the kept page if it can't be reached. */
async function openPage(request) {
  try {
    const response = await fetch(request);
    if (!UNREACHABLE.has(response.status)) return response;
    return (await findShell()) ?? response;
  } catch (error) {
    const shell = await findShell();
    if (shell) return shell;
    throw error;
  }
}

async function findShell() {
  return (await caches.open(CACHE)).match(SHELL);
}
