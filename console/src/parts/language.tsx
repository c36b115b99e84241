/** The choice of the console's language, which stays in this browser. */
import { NativeSelect } from "@mantine/core";
import { chooseLanguage, LANGUAGES, type Language, language, t } from "../app/i18n.ts";

const OPTIONS = Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }));

export function LanguageSelect() {
  return <NativeSelect classNames={{ input: "language-names" }} label={t("Language")} value={language()} data={OPTIONS} onChange={(event) => chooseLanguage(event.currentTarget.value as Language)} />;
}
