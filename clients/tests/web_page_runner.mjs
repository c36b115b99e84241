// Opens examples/web_page in a document, and uses it as a person would: `node web_page_runner.mjs URL USERNAME PASSWORD SKU`.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Window } from "../typescript/node_modules/happy-dom/lib/index.js";

const [server, username, password, name] = process.argv.slice(2);
const page = new URL("../../examples/web_page/", import.meta.url);
const window = new Window({ url: `http://page.example/?server=${encodeURIComponent(server)}` });
window.document.write(await readFile(new URL("index.html", page), "utf8"));
Object.assign(globalThis, { document: window.document, location: window.location, FormData: window.FormData });

// Node has no import maps: the package's name resolves in a folder of modules.
const folder = await mkdtemp(join(tmpdir(), "web-page-"));
await writeFile(join(folder, "page.mjs"), (await readFile(new URL("page.js", page), "utf8")).replace("@stockbuddy/client", "./client.mjs"));
await cp(new URL("../typescript/dist/bundle.min.js", import.meta.url), join(folder, "client.mjs"));
await import(pathToFileURL(join(folder, "page.mjs")).href);

const find = (selector) => document.querySelector(selector);
async function until(condition) {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not in time; the message is: ${find("#message").textContent}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
function submit(form, fields) {
  for (const [field, value] of Object.entries(fields)) find(`${form} [name=${field}]`).value = value;
  find(form).dispatchEvent(new window.Event("submit", { cancelable: true }));
}
const row = () => [...document.querySelectorAll("tbody tr")].find((one) => one.cells[0].textContent === name);

submit("#login", { username, password: "of-a-typo" });
await until(() => find("#message").textContent.includes("wrong"));
submit("#login", { username, password });
await until(() => !find("#products").hidden);
submit("#search", { words: name });
await until(() => row() && document.querySelectorAll("tbody tr").length === 1);
const before = Number(row().cells[2].textContent);
row().querySelector("button").click();
await until(() => find("#message").textContent.startsWith("Sale "));
await until(() => Number(row().cells[2].textContent) === before - 1);
console.log(find("#message").textContent);
await rm(folder, { recursive: true });
process.exit(0);
