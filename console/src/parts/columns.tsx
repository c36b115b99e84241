/** The choice of a list's columns; those that are shown are in the address. */
import { Button, Checkbox, Stack } from "@mantine/core";
import { t } from "../app/i18n.ts";
import { useSearchState } from "../app/location.ts";
import { PopoverButton } from "./popover.tsx";
import type { Column } from "./table.tsx";

/** The columns that `chosen`, keys separated by commas, names; all without it. The first one names the row and stays. A
 * column that a person has chosen is also shown on a phone. */
export function chosenColumns<Row>(columns: Column<Row>[], chosen: string | undefined): Column<Row>[] {
  if (!chosen) return columns;
  const keys = new Set(chosen.split(","));
  return columns.filter(({ key }, index) => index === 0 || keys.has(key)).map((column) => ({ ...column, isWideOnly: false }));
}

export function ColumnChoice<Row>({ columns }: { columns: Column<Row>[] }) {
  const [search, change] = useSearchState();
  const shown = new Set(chosenColumns(columns, search.columns).map(({ key }) => key));
  const toggle = (key: string): void => {
    const next = columns.filter((column) => (column.key === key) !== shown.has(column.key)).map((column) => column.key);
    change({ columns: next.length === columns.length ? "" : next.join(",") });
  };
  return (
    <PopoverButton title={t("Columns")} label={t("Columns")}>
      {() => (
        <Stack gap={8}>
          {columns.map(({ key, label }, index) => (
            <Checkbox key={key} size="xs" label={label} checked={shown.has(key)} disabled={index === 0} onChange={() => toggle(key)} />
          ))}
          {search.columns ? <Button variant="subtle" size="xs" onClick={() => change({ columns: "" })}>{t("All columns")}</Button> : null}
        </Stack>
      )}
    </PopoverButton>
  );
}
