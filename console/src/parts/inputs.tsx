/** Inputs for decimal numbers, products, warehouses and records with a name. */
import { useEffect, useId, useRef, useState } from "react";
import { NativeSelect, TextInput, type TextInputProps } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type Page, read, type Schemas } from "../app/api.ts";
import { isDisconnected } from "../app/live.ts";
import { searchKept } from "../offline/search.ts";
import { editable, money, parseDecimal, quantity } from "../app/format.ts";
import { t } from "../app/i18n.ts";
import { lookUp, type ProductItem } from "../app/product-codes.ts";
import { useWarehouses } from "../app/reads.ts";

export { lookUp, type ProductItem } from "../app/product-codes.ts";

interface DecimalProps extends Omit<TextInputProps, "value" | "onChange"> {
  /** A decimal string, or empty. */
  value: string;
  onChange: (value: string) => void;
}

/** Accepts the decimal separator of the locale. What is no number yet stays visible and counts as empty. */
export function DecimalInput({ value, onChange, error, ...rest }: DecimalProps) {
  const [text, setText] = useState(editable(value));
  const isInvalid = text !== "" && parseDecimal(text) === undefined;
  useEffect(() => {
    setText((shown) => ((parseDecimal(shown) ?? "") === value ? shown : editable(value)));
  }, [value]);
  return (
    <TextInput
      {...rest}
      inputMode="decimal"
      autoComplete="off"
      value={text}
      error={isInvalid ? t("Not a number") : error}
      onChange={(event) => {
        setText(event.currentTarget.value);
        onChange(parseDecimal(event.currentTarget.value) ?? "");
      }}
    />
  );
}

export function WarehouseSelect(props: { label?: string; value: string; onChange: (id: string) => void; isOptional?: boolean; except?: string; error?: string | undefined }) {
  const { items } = useWarehouses();
  const options = items.filter((one) => String(one.id) !== props.except).map((one) => ({ value: String(one.id), label: one.name }));
  return (
    <NativeSelect
      label={props.label ?? t("Warehouse")}
      value={props.value}
      error={props.error}
      data={[...(props.isOptional || !props.value ? [{ value: "", label: props.isOptional ? t("All warehouses") : t("Choose…") }] : []), ...options]}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

interface Option {
  id: number;
  label: string;
  hint: string;
}

interface PickerProps<Item> {
  label: string;
  path: string;
  show: (item: Item) => Option;
  onPick: (item: Item) => void;
  /** What is picked at present. */
  shown?: string;
  placeholder?: string;
  autoFocus?: boolean;
  /** Exact: Enter before the list has appeared picks by code. */
  findExactly?: (code: string) => Promise<Item | undefined>;
  error?: string | undefined;
}

const DEBOUNCE_MS = 120;
const MAX_OPTIONS = 8;

/** Of the API; without a connection, of what the device has read last. */
async function findOptions<Item extends { id: number }>(path: string, term: string): Promise<Item[]> {
  if (isDisconnected()) return searchKept<Item>(path, term, MAX_OPTIONS);
  return (await read<Page<Item>>(path, { page_size: MAX_OPTIONS, ...(path === "/products" ? { exact_total: false } : {}), ...(term ? { search: term } : {}) })).items;
}

/** A combobox (ARIA) that searches a list of the API. */
export function Picker<Item extends { id: number }>(props: PickerProps<Item>) {
  const [text, setText] = useState(props.shown ?? "");
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const [term] = useDebouncedValue(text.trim(), DEBOUNCE_MS);
  const id = useId();
  const isPicking = useRef(false);
  useEffect(() => setText(props.shown ?? ""), [props.shown]);
  const found = useQuery({
    queryKey: ["picker", props.path, term],
    queryFn: () => findOptions<Item>(props.path, term),
    enabled: isOpen,
  });
  const items = found.data ?? [];
  const options = items.map(props.show);
  const pick = (item: Item | undefined): void => {
    if (item === undefined) return;
    setOpen(false);
    setText(props.shown ?? "");
    props.onPick(item);
  };
  const submit = async (): Promise<void> => {
    const code = text.trim();
    if (!code || isPicking.current) return;
    isPicking.current = true;
    try {
      // What was typed last may not be listed yet.
      const listed = async (): Promise<Item | undefined> => (term === code && found.data ? items[active] : (await findOptions<Item>(props.path, code))[0]);
      const exact = async (): Promise<Item | undefined> => props.findExactly?.(code);
      // Without a connection, asking the server for the code takes seconds, and the list has codes, too.
      pick(isDisconnected() ? ((await listed()) ?? (await exact())) : ((await exact()) ?? (await listed())));
    } finally {
      isPicking.current = false;
    }
  };
  const onKey = (event: React.KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setOpen(true);
      setActive((active + step + options.length) % Math.max(1, options.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      void submit();
    } else if (event.key === "Escape" && isOpen) {
      event.stopPropagation();
      setOpen(false);
    }
  };
  return (
    <div className="picker">
      <TextInput
        label={props.label}
        placeholder={props.placeholder}
        error={props.error}
        data-autofocus={props.autoFocus || undefined}
        autoFocus={props.autoFocus ?? false}
        autoComplete="off"
        role="combobox"
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && options[active] ? `${id}-${active}` : undefined}
        value={text}
        onFocus={(event) => event.currentTarget.select()}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setOpen(true);
          setActive(0);
        }}
        onBlur={() => {
          setOpen(false);
          setText(props.shown ?? "");
        }}
        onKeyDown={onKey}
      />
      <div id={`${id}-list`} role="listbox" aria-label={props.label} className="picker-list" hidden={!isOpen || options.length === 0}>
        {options.map((option, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the input keeps the focus and names the active option
          <div
            key={option.id}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            className="picker-option"
            onMouseDown={(event) => {
              event.preventDefault();
              pick(items[index]);
            }}
          >
            <span>{option.label}</span>
            <span className="dim nowrap">{option.hint}</span>
          </div>
        ))}
      </div>
    </div>
  );
}

export function ProductPicker(props: { label?: string; onPick: (product: ProductItem) => void; shown?: string; autoFocus?: boolean; error?: string | undefined }) {
  return (
    <Picker<ProductItem>
      label={props.label ?? t("Product")}
      placeholder={t("Name, SKU or barcode")}
      path="/products"
      show={(one) => ({ id: one.id, label: `${one.sku} · ${one.name}`, hint: `${money(one.unit_price)} · ${t("{{count}} available", { count: quantity(one.available) })}` })}
      findExactly={lookUp}
      {...props}
    />
  );
}

export function SupplierPicker(props: { onPick: (supplier: Schemas["SupplierResponse"]) => void; shown?: string; error?: string | undefined }) {
  return <Picker<Schemas["SupplierResponse"]> label={t("Supplier")} path="/suppliers" show={(one) => ({ id: one.id, label: one.name, hint: one.phone_number ?? "" })} {...props} />;
}

export function CustomerPicker(props: { onPick: (customer: Schemas["CustomerResponse"]) => void; shown?: string }) {
  return <Picker<Schemas["CustomerResponse"]> label={t("Customer")} placeholder={t("Without a name")} path="/customers" show={(one) => ({ id: one.id, label: one.name, hint: one.phone ?? one.email ?? "" })} {...props} />;
}
