/** Why a forecast or a suggestion is as it is: the sentences of the API, in the reader's language. */
import { Text } from "@mantine/core";
import type { Schemas } from "../app/api.ts";
import { quantity } from "../app/format.ts";
import { t, translated } from "../app/i18n.ts";

export function Reasons({ reasons }: { reasons: Schemas["ReasonResponse"][] }) {
  if (reasons.length === 0) return null;
  return (
    <Text component="details" size="sm" c="dimmed" className="no-print">
      <summary>{t("Why?")}</summary>
      {reasons.map(({ code, values, text }) => <div key={code}>{translated("reason", code, text, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, quantity(value)])))}</div>)}
    </Text>
  );
}
