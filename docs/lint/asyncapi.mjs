// Checks an AsyncAPI document with the parser of the AsyncAPI initiative: any diagnostic is an error.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const [, , path] = process.argv;
const { document, diagnostics } = await new Parser().parse(readFileSync(path, "utf8"));
for (const { code, message, path: place } of diagnostics) console.error(`${code}: ${message} (${place.join(".")})`);
if (!document || diagnostics.length > 0) process.exit(1);
