/** The translations: complete, without texts that nobody uses, with the same values, in every language's plural forms. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { ENGLISH, LANGUAGES, type Language } from "./i18n.ts";

const sourceFiles = globSync("src/**/*.{ts,tsx}").filter((path) => !path.endsWith(".test.ts") && path !== "src/app/i18n.ts");
const sources = sourceFiles.map((path) => readFileSync(path, "utf8")).join("\n");
const textsIn = (source: string): string[] => [...source.matchAll(/\bt\(\s*("(?:[^"\\]|\\.)*")/g)].map(([, text]) => JSON.parse(text as string) as string);
const used = new Set(textsIn(sources));
const document = JSON.parse(readFileSync("../docs/openapi.json", "utf8")) as { components: { schemas: Record<string, { enum?: string[] }> } };
const permissions = document.components.schemas.Permission?.enum ?? [];
const errors = readFileSync("../clients/typescript/src/errors.ts", "utf8");

const reasons = new Map([...readFileSync("../services/stock/src/stockbuddy/stock/insights/reasons.py", "utf8").matchAll(/^ {4}"(\w+)": "(.*)",$/gm)].map(([, code, text]) => [code as string, (text as string).replaceAll("{", "{{").replaceAll("}", "}}")]));

const PLURAL = /_(zero|one|two|few|many|other)$/;
const CODE = /^(problem|permission|role|role_name|field|invalid|reason)\./;
type Texts = Record<string, string>;
const readPart = (language: string, part: string): Texts => JSON.parse(readFileSync(`src/texts/${language}/${part}.json`, "utf8")) as Texts;
const readTexts = (language: string): Texts => ({ ...readPart(language, "first"), ...readPart(language, "other") });

/** The modules of the first load: all that `main.tsx` imports, without the pages other than login and home. */
function collectFirst(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path) || !existsSync(path) || !/\.tsx?$/.test(path) || /^src\/pages\/(?!login\/|home\/)/.test(path)) return found;
  found.add(path);
  for (const [, imported] of readFileSync(path, "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) collectFirst(join(dirname(path), imported as string), found);
  return found;
}
const first = new Set([...collectFirst("src/main.tsx")].flatMap((path) => textsIn(readFileSync(path, "utf8"))));
const valuesOf = (text: string): string[] => [...text.matchAll(/\{\{(\w+)/g)].map(([, name]) => name as string).sort();
const isPluralOf = (key: string): boolean => ENGLISH[`${key}_other`] !== undefined;
/** The English text that a translation's key stands for. */
const original = (key: string): string => ENGLISH[key] ?? ENGLISH[`${key.replace(PLURAL, "")}_other`] ?? key.replace(PLURAL, "");

test("texts are literals, so that this test finds them", () => {
  assert.deepEqual([...sources.matchAll(/\bt\((?!\s*")[^)\n]*/g)].map(([call]) => call), []);
  assert.ok(used.size > 500);
});

test("English plural forms belong to texts that are used", () => {
  assert.deepEqual(Object.keys(ENGLISH).filter((key) => !used.has(key.replace(PLURAL, ""))), []);
});

for (const language of Object.keys(LANGUAGES).filter((one) => one !== "en") as Language[]) {
  const texts = readTexts(language);
  const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;

  test(`${language}: every text is translated`, () => {
    const keys = [...used].flatMap((key) => (isPluralOf(key) ? forms.map((form) => `${key}_${form}`) : [key]));
    assert.deepEqual(keys.filter((key) => !texts[key]), []);
  });

  test(`${language}: every translation is used`, () => {
    const isUsed = (key: string): boolean => used.has(key) || (PLURAL.test(key) && used.has(key.replace(PLURAL, "")) && forms.includes(PLURAL.exec(key)?.[1] as Intl.LDMLPluralRule));
    assert.deepEqual(Object.keys(texts).filter((key) => !CODE.test(key) && !isUsed(key)), []);
  });

  test(`${language}: first.json has what the first load shows, other.json the rest`, () => {
    const isFirst = (key: string): boolean => first.has(key) || first.has(key.replace(PLURAL, ""));
    const misplaced = { missing: Object.keys(readPart(language, "other")).filter(isFirst), needless: Object.keys(readPart(language, "first")).filter((key) => !isFirst(key)) };
    assert.deepEqual(misplaced, { missing: [], needless: [] });
  });

  test(`${language}: translations have the values of their texts`, () => {
    const differing = Object.entries(texts).filter(([key, text]) => !CODE.test(key) && String(valuesOf(text)) !== String(valuesOf(original(key))));
    assert.deepEqual(differing, []);
  });

  test(`${language}: codes are those of the API`, () => {
    const codesOf = (kind: string): string[] => Object.keys(texts).filter((key) => key.startsWith(`${kind}.`)).map((key) => key.slice(kind.length + 1));
    assert.deepEqual(codesOf("permission").sort(), [...permissions].sort());
    const className = (code: string): string => code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
    assert.deepEqual(codesOf("problem").filter((code) => !errors.includes(`class ${className(code)} `)), []);
    assert.deepEqual(codesOf("reason").sort(), [...reasons.keys()].sort());
    for (const [code, text] of reasons) assert.deepEqual(valuesOf(texts[`reason.${code}`] as string), valuesOf(text));
    for (const kind of ["role", "role_name"]) assert.deepEqual(codesOf(kind).sort(), ["admin", "manager", "salesperson", "viewer"]);
  });
}

test("all languages translate the same codes", () => {
  const codes = Object.keys(LANGUAGES).filter((one) => one !== "en").map((language) => Object.keys(readTexts(language)).filter((key) => CODE.test(key)).sort());
  for (const others of codes.slice(1)) assert.deepEqual(others, codes[0]);
});
