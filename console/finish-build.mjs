// Compresses the files of a build, lets the page preload the console beside its language, writes its service worker and checks its
// budgets. Argument: the folder of the build.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const KILOBYTE = 1000;
const MAX_FIRST_LOAD = 240 * KILOBYTE;
const MAX_OPENED_DIRECTLY = 300 * KILOBYTE;
const MAX_ROUTE = 60 * KILOBYTE;

const folder = process.argv[2];
const sizes = new Map();
for (const name of readdirSync(join(folder, "console"))) {
  const path = join(folder, "console", name);
  const content = readFileSync(path);
  const gzip = gzipSync(content, { level: 9 });
  const brotli = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
  writeFileSync(`${path}.gz`, gzip);
  writeFileSync(`${path}.br`, brotli);
  sizes.set(`console/${name}`, gzip.length);
}

// The scanner's decoder is large: the service worker keeps it once it was used.
const kept = [...sizes.keys()].map((path) => path.split("/")[1]).filter((name) => !name.endsWith(".wasm")).sort();
const page = readFileSync(join(folder, "index.html"), "utf8");
const template = readFileSync(new URL("service-worker.js", import.meta.url), "utf8");
const version = createHash("sha256").update(JSON.stringify(kept) + page + template).digest("hex").slice(0, 16);
writeFileSync(join(folder, "service-worker.js"), template.replace("__VERSION__", version).replace("__FILES__", JSON.stringify(kept)));

const manifestPath = join(folder, "manifest.json");
const manifest = JSON.parse(readFileSync(manifestPath, "utf8"));
rmSync(manifestPath);

/** The files that a chunk needs, with those of its static imports. */
function filesOf(key, found = new Set()) {
  const chunk = manifest[key];
  if (found.has(chunk.file)) return found;
  found.add(chunk.file);
  for (const file of chunk.css ?? []) found.add(file);
  for (const imported of chunk.imports ?? []) filesOf(imported, found);
  return found;
}
const sizeOf = (files) => [...files].reduce((total, file) => total + (sizes.get(file) ?? 0), 0);

const largest = (keys) => keys.map((key) => filesOf(key)).reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a), new Set());
const languages = Object.keys(manifest).filter((key) => /^src\/texts\/.*\/first\.json$/.test(key));
// The entry loads the texts of the first load and then the console.
const main = Object.keys(manifest).find((key) => manifest[key].isEntry);
const entry = new Set([...filesOf(main), ...filesOf("src/start.tsx"), ...largest(languages)]);
const scripts = [...filesOf("src/start.tsx")].filter((file) => file.endsWith(".js") && file !== manifest[main].file);
const preloads = scripts.map((file) => `    <link rel="modulepreload" crossorigin href="./${file}">\n`).join("");
const indexPath = join(folder, "index.html");
writeFileSync(indexPath, readFileSync(indexPath, "utf8").replace("  </head>", `${preloads}  </head>`));

const pages = Object.keys(manifest).filter((key) => /^src\/pages\/.*index\.tsx$/.test(key));
const filesOfPage = (name) => filesOf(`src/pages/${name}/index.tsx`);
const firstLoad = sizeOf(new Set([...entry, ...filesOfPage("login"), ...filesOfPage("home")]));
const routes = pages.map((key) => {
  const whole = sizeOf(new Set([...entry, ...filesOf(key)]));
  return { page: key.split("/")[2], whole, own: whole - sizeOf(entry) };
});
const report = {
  firstLoad,
  largestPage: routes.reduce((a, b) => (b.whole > a.whole ? b : a)),
  largestRoute: routes.reduce((a, b) => (b.own > a.own ? b : a)),
};
writeFileSync(join(folder, "sizes.json"), JSON.stringify({ ...report, entry: sizeOf(entry), routes }, null, 1));
const exceeded = [
  firstLoad > MAX_FIRST_LOAD && `the first load has ${firstLoad} bytes, at most ${MAX_FIRST_LOAD}`,
  report.largestPage.whole > MAX_OPENED_DIRECTLY && `${report.largestPage.page} opened directly has ${report.largestPage.whole} bytes, at most ${MAX_OPENED_DIRECTLY}`,
  report.largestRoute.own > MAX_ROUTE && `the route ${report.largestRoute.page} has ${report.largestRoute.own} bytes, at most ${MAX_ROUTE}`,
].filter(Boolean);
if (exceeded.length) {
  console.error(`budget exceeded: ${exceeded.join("; ")}`);
  process.exit(1);
}
