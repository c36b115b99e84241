/** Loads the reader's language, then the console, whose modules look their texts up. */
import { loadLanguage } from "./app/i18n.ts";

void loadLanguage().then(() => import("./start.tsx"));
