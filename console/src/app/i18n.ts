/** Translations: the English text is the key. Modules look their texts up when they are loaded, so the language is
 * loaded before the rest of the console (`main.tsx`), and another choice reloads the page. What the first load shows is
 * in one file of a language, the rest in another (`router.tsx`). */
import i18next from "i18next";

export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español" };
export type Language = keyof typeof LANGUAGES;
type Texts = Record<string, string>;

type Load = () => Promise<{ default: Texts }>;
const LOADERS: Record<Exclude<Language, "en">, { first: Load; other: Load }> = {
  de: { first: () => import("../texts/de/first.json"), other: () => import("../texts/de/other.json") },
  es: { first: () => import("../texts/es/first.json"), other: () => import("../texts/es/other.json") },
};
const STORED = "stockbuddy-language";

/** The texts that differ by number; of the others, the key is the text. */
export const ENGLISH: Texts = {
  rows_one: "{{count, number}} row",
  rows_other: "{{count, number}} rows",
  waiting_one: "{{count, number}} change is waiting for the connection",
  waiting_other: "{{count, number}} changes are waiting for the connection",
  days_one: "{{count, number}} day",
  days_other: "{{count, number}} days",
  "{{count}} products changed_one": "{{count}} product changed",
  "Threshold of {{count}} products_one": "Threshold of {{count}} product",
  "{{count}} of them have no supplier: edit the product first._one": "{{count}} of them has no supplier: edit the product first.",
};

let current: Language = "en";

export const language = (): Language => current;

/** For numbers and dates: the browser's variety of the language, such as `de-CH`. */
export const locale = (): string => browserLanguages().find((one) => languageOf(one) === current) ?? current;

export async function loadLanguage(): Promise<void> {
  current = chosenLanguage();
  const resources: Record<string, { translation: Texts }> = { en: { translation: ENGLISH } };
  try {
    if (current !== "en") resources[current] = { translation: (await LOADERS[current].first()).default };
  } catch {
    current = "en"; // the page works, in another language
  }
  document.documentElement.lang = current;
  await i18next.init({ lng: current, fallbackLng: "en", keySeparator: false, nsSeparator: false, interpolation: { escapeValue: false }, resources });
}

/** Load the texts of the other pages, before the first of them. */
export async function loadOtherTexts(): Promise<void> {
  if (current === "en") return;
  const { default: texts } = await LOADERS[current].other();
  i18next.addResourceBundle(current, "translation", texts, true);
}

/** Keep the choice in this browser, and show the console in that language. */
export function chooseLanguage(chosen: Language): void {
  localStorage.setItem(STORED, chosen);
  location.reload();
}

function chosenLanguage(): Language {
  const known = [readStored(), ...browserLanguages().map(languageOf)];
  return known.find((one): one is Language => one !== null && one in LANGUAGES) ?? "en";
}

/** A browser may forbid pages to store anything. */
function readStored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

const browserLanguages = (): readonly string[] => navigator.languages ?? [navigator.language];
const languageOf = (tag: string): string => tag.split("-")[0]?.toLowerCase() ?? "";

export const t = (text: string, values: Record<string, string | number> = {}): string => i18next.t(text, values);

/** What the API describes in English, by its stable code: in the reader's language where the console knows the code. */
export function translated(kind: "problem" | "permission" | "role" | "role_name" | "field" | "invalid" | "reason", code: string, english: string, values: Record<string, string> = {}): string {
  const key = `${kind}.${code}`;
  return i18next.exists(key) ? i18next.t(key, values) : english;
}
