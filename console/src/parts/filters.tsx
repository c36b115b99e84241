/** The filters above a list. Their values are in the address. */
import { useEffect, useState } from "react";
import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { companyTimezone } from "../app/format.ts";
import { t } from "../app/i18n.ts";
import { type Search, useSearchState } from "../app/location.ts";
import { useWarehouses } from "../app/reads.ts";

export type Filter =
  | { kind: "search"; name: string; label: string }
  | { kind: "select"; name: string; label: string; options: { value: string; label: string }[] }
  | { kind: "flag"; name: string; label: string }
  | { kind: "day"; name: string; label: string }
  | { kind: "warehouse"; name: string; label?: string };

const SEARCH_DEBOUNCE_MS = 250;

export function Filters({ filters }: { filters: Filter[] }) {
  const [search, change] = useSearchState();
  const set = (name: string, value: string): void => change({ [name]: value, page: "" });
  const isAnySet = filters.some(({ name }) => search[name]);
  const hasDays = filters.some(({ kind }) => kind === "day");
  return (
    <search className="filters no-print">
      {filters.map((filter) => (
        <FilterInput key={filter.name} filter={filter} search={search} set={set} />
      ))}
      {hasDays ? <span className="dim" style={{ fontSize: "0.8rem", paddingBottom: 8 }}>{companyTimezone()}</span> : null}
      {isAnySet ? (
        <Button variant="subtle" onClick={() => change(Object.fromEntries(["page", ...filters.map(({ name }) => name)].map((name) => [name, ""])))}>
          {t("Clear filters")}
        </Button>
      ) : null}
    </search>
  );
}

function FilterInput({ filter, search, set }: { filter: Filter; search: Search; set: (name: string, value: string) => void }) {
  const value = search[filter.name] ?? "";
  const { items } = useWarehouses();
  if (filter.kind === "search") return <SearchInput label={filter.label} value={value} onChange={(text) => set(filter.name, text)} />;
  if (filter.kind === "flag") {
    return <Checkbox mb={8} label={filter.label} checked={value === "true"} onChange={(event) => set(filter.name, event.currentTarget.checked ? "true" : "")} />;
  }
  if (filter.kind === "day") {
    return <TextInput type="date" label={filter.label} value={value} onChange={(event) => set(filter.name, event.currentTarget.value)} />;
  }
  const options =
    filter.kind === "warehouse" ? items.map((one) => ({ value: String(one.id), label: one.name })) : filter.options;
  if (filter.kind === "warehouse" && items.length < 2 && !value) return null;
  return (
    <NativeSelect
      label={filter.label ?? t("Warehouse")}
      value={value}
      data={[{ value: "", label: t("All") }, ...options]}
      onChange={(event) => set(filter.name, event.currentTarget.value)}
    />
  );
}

function SearchInput({ label, value, onChange }: { label: string; value: string; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  const submit = useDebouncedCallback(onChange, SEARCH_DEBOUNCE_MS);
  useEffect(() => setText(value), [value]);
  return (
    <TextInput
      type="search"
      label={label}
      value={text}
      data-page-search
      miw={220}
      onChange={(event) => {
        setText(event.currentTarget.value);
        submit(event.currentTarget.value);
      }}
    />
  );
}
