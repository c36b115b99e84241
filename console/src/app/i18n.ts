/** Translations: the English text is the key. */
import i18next from "i18next";

/** The texts that differ by number. */
const english = {
  rows_one: "{{count}} row",
  rows_other: "{{count}} rows",
  lines_one: "{{count}} line",
  lines_other: "{{count}} lines",
  waiting_one: "{{count}} change is waiting for the connection",
  waiting_other: "{{count}} changes are waiting for the connection",
  days_one: "{{count}} day",
  days_other: "{{count}} days",
};

void i18next.init({
  lng: "en",
  initAsync: false,
  keySeparator: false,
  nsSeparator: false,
  interpolation: { escapeValue: false },
  resources: { en: { translation: english } },
});

export const t = (text: string, values: Record<string, string | number> = {}): string => i18next.t(text, values);
