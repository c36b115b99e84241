/** Ctrl-K: pages, products, sales, customers and purchase orders in one list. */
import { useState } from "react";
import { Modal, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { type Page, read, type Schemas } from "./api.ts";
import { money } from "./format.ts";
import { t } from "./i18n.ts";
import { NAVIGATION } from "./navigation.ts";
import { may } from "./permissions.ts";
import { useUser } from "./session.tsx";

interface Found {
  path: string;
  label: string;
  hint: string;
}

const DEBOUNCE_MS = 40;
const MAX_OF_A_KIND = 6;

export default function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const [term] = useDebouncedValue(text.trim(), DEBOUNCE_MS);
  const navigate = useNavigate();
  const user = useUser();
  const pages: Found[] = NAVIGATION.flatMap(({ label, items }) =>
    items
      .filter((item) => (!item.permission || may(user, item.permission)) && item.label.toLowerCase().includes(term.toLowerCase()))
      .map((item) => ({ path: item.path, label: item.label, hint: label })),
  );
  const found = useQuery({
    queryKey: ["palette", term],
    queryFn: () => findRecords(term, may(user, "purchase.read")),
    enabled: term.length > 1,
    placeholderData: (previous) => previous,
  });
  const options = [...(term.length > 1 ? (found.data ?? []) : []), ...pages];
  const open = (option: Found | undefined): void => {
    if (!option) return;
    onClose();
    void navigate({ to: option.path });
  };
  const onKey = (event: React.KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setActive((active + step + options.length) % Math.max(1, options.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      open(options[active]);
    }
  };
  return (
    <Modal opened onClose={onClose} withCloseButton={false} padding={0} yOffset="12vh" centered={false} title={undefined} aria-label={t("Find")}>
      <TextInput
        data-autofocus
        size="md"
        variant="unstyled"
        px="md"
        placeholder={t("Product, barcode, customer, sale number or page")}
        aria-label={t("Find")}
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={options[active] ? `palette-${active}` : undefined}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKey}
      />
      <div id="palette-list" role="listbox" aria-label={t("Results")} style={{ borderTop: "1px solid var(--console-line)", padding: 4, maxHeight: "55vh", overflow: "auto" }}>
        {options.map((option, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input handles the keys of the list
          // biome-ignore lint/a11y/useFocusableInteractive: the input keeps the focus and names the active option
          <div key={option.path + option.label} id={`palette-${index}`} role="option" aria-selected={index === active} className="picker-option" onClick={() => open(option)} onMouseMove={() => setActive(index)}>
            <span>{option.label}</span>
            <span className="dim">{option.hint}</span>
          </div>
        ))}
        {options.length === 0 && !found.isFetching ? <Text p="md" c="dimmed">{t("Nothing found")}</Text> : null}
      </div>
    </Modal>
  );
}

async function findRecords(term: string, withOrders: boolean): Promise<Found[]> {
  const list = async <Item,>(path: string, show: (item: Item) => Found): Promise<Found[]> => {
    const page = await read<Page<Item>>(path, { search: term, page_size: MAX_OF_A_KIND });
    return page.items.map(show);
  };
  const lists = [
    list<Schemas["ProductListItem"]>("/products", (one) => ({ path: `/products/${one.id}`, label: one.name, hint: `${one.sku} · ${money(one.unit_price)}` })),
    list<Schemas["CustomerResponse"]>("/customers", (one) => ({ path: `/customers/${one.id}`, label: one.name, hint: t("Customer") })),
    list<Schemas["SaleResponse"]>("/sales", (one) => ({ path: `/sales/${one.id}`, label: t("Sale {{number}}", { number: one.number }), hint: money(one.total) })),
  ];
  if (withOrders) {
    lists.push(
      list<Schemas["PurchaseOrderResponse"]>("/purchase-orders", (one) => ({ path: `/purchase-orders/${one.id}`, label: t("Purchase order {{number}}", { number: one.number }), hint: one.supplier })),
    );
  }
  const found = await Promise.allSettled(lists);
  return found.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
}
