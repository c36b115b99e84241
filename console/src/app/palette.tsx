/** Ctrl-K: products, customers, sales, purchase orders, pages and actions in one list. */
import { useEffect, useState } from "react";
import { Modal, Text, TextInput, useMantineColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useQueries } from "@tanstack/react-query";
import { type Page, read, type Schemas, type User } from "./api.ts";
import { money } from "./format.ts";
import { t } from "./i18n.ts";
import { NAVIGATION } from "./navigation.ts";
import { may, mayOpen, type Permission } from "./permissions.ts";
import { announce } from "./reads.ts";
import { useLogout, useUser } from "./session.tsx";
import { endTypeAhead } from "./type-ahead.ts";

interface Found {
  /** Unique in the list. */
  id: string;
  label: string;
  hint: string;
  /** What it opens: a page, or an action without one. */
  target: string | (() => void);
}

const DEBOUNCE_MS = 40;
const MAX_OF_A_KIND = 6;
const MIN_LENGTH = 2;

export default function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  /** The option that the arrow keys or the mouse have chosen; it stays chosen when others arrive. */
  const [chosen, setChosen] = useState<string>();
  /** Enter was pressed before the results of the present text had arrived. */
  const [isWaiting, setWaiting] = useState(false);
  const present = text.trim();
  const [term] = useDebouncedValue(present, DEBOUNCE_MS);
  const navigate = useNavigate();
  const user = useUser();
  const found = useQueries({
    queries: SEARCHES.filter(({ permission }) => may(user, permission)).map((search) => ({
      queryKey: ["palette", search.path, term],
      queryFn: () => findRecords(search, term),
      enabled: term.length >= MIN_LENGTH,
      placeholderData: (previous: Found[] | undefined) => previous,
    })),
  });
  const records = term.length >= MIN_LENGTH ? found.flatMap(({ data }) => data ?? []) : [];
  const options = [...records, ...usePlaces(user, term)];
  const active = Math.max(0, options.findIndex(({ id }) => id === chosen));
  const isCurrent = term === present && found.every(({ isFetching, isPlaceholderData }) => !isFetching && !isPlaceholderData);
  const open = (option: Found | undefined): void => {
    if (!option) return;
    onClose();
    if (typeof option.target === "string") void navigate({ to: option.target });
    else option.target();
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: it waits for the results, not for a new function
  useEffect(() => {
    if (!isWaiting || !isCurrent) return;
    setWaiting(false);
    open(options[active]);
  }, [isWaiting, isCurrent]);
  const onKey = (event: React.KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setChosen(options[(active + step + options.length) % Math.max(1, options.length)]?.id);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (isCurrent) open(options[active]);
      else setWaiting(true);
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
          setChosen(undefined);
          setWaiting(false);
        }}
        onFocus={() => {
          const typed = endTypeAhead();
          if (typed.text) setText(typed.text);
          setWaiting(typed.isEntered);
        }}
        onKeyDown={onKey}
      />
      <div id="palette-list" role="listbox" aria-label={t("Results")} style={{ borderTop: "1px solid var(--console-line)", padding: 4, maxHeight: "55vh", overflow: "auto" }}>
        {options.map((option, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input handles the keys of the list
          // biome-ignore lint/a11y/useFocusableInteractive: the input keeps the focus and names the active option
          <div key={option.id} id={`palette-${index}`} role="option" aria-selected={index === active} className="picker-option" onClick={() => open(option)} onMouseMove={() => setChosen(option.id)}>
            <span>{option.label}</span>
            <span className="dim">{option.hint}</span>
          </div>
        ))}
        {options.length === 0 && isCurrent ? <Text p="md" c="dimmed">{t("Nothing found")}</Text> : null}
      </div>
    </Modal>
  );
}

interface Search {
  /** Of the list, and of the records' pages. */
  path: string;
  permission: Permission;
  query?: Record<string, boolean>;
  show: (record: never) => { label: string; hint: string };
}

/** The lists that are searched, each by itself: what is found first appears first. */
const SEARCHES: Search[] = [
  { path: "/products", permission: "catalog.read", query: { exact_total: false }, show: (one: Schemas["ProductListItem"]) => ({ label: one.name, hint: `${one.sku} · ${money(one.unit_price)}` }) },
  { path: "/customers", permission: "customer.read", show: (one: Schemas["CustomerResponse"]) => ({ label: one.name, hint: t("Customer") }) },
  { path: "/sales", permission: "sale.read", show: (one: Schemas["SaleResponse"]) => ({ label: t("Sale {{number}}", { number: one.number }), hint: money(one.total) }) },
  { path: "/purchase-orders", permission: "purchase.read", show: (one: Schemas["PurchaseOrderResponse"]) => ({ label: t("Purchase order {{number}}", { number: one.number }), hint: one.supplier }) },
];

async function findRecords({ path, query, show }: Search, term: string): Promise<Found[]> {
  const page = await read<Page<{ id: number }>>(path, { search: term, page_size: MAX_OF_A_KIND, ...query });
  return page.items.map((item) => ({ ...show(item as never), id: `${path}/${item.id}`, target: `${path}/${item.id}` }));
}

const ACTIONS: { path: string; label: string; permission: Permission }[] = [
  { path: "/products/new", label: t("New product"), permission: "catalog.write" },
  { path: "/sell", label: t("New sale"), permission: "sale.create" },
  { path: "/imports", label: t("Import products"), permission: "import.run" },
];

/** The pages and actions whose names contain the term. */
function usePlaces(user: User, term: string): Found[] {
  const { setColorScheme } = useMantineColorScheme();
  const logout = useLogout((message) => announce(message, { isError: true }));
  const allowed = <Item extends { permission?: Permission | Permission[] }>(items: Item[]): Item[] => items.filter((item) => mayOpen(user, item));
  const pages = NAVIGATION.flatMap(({ label, items }) => allowed(items).map((item): Found => ({ id: item.path, label: item.label, hint: label, target: item.path })));
  const actions: [string, Found["target"]][] = [
    ...allowed(ACTIONS).map(({ label, path }): [string, string] => [label, path]),
    [t("Use dark colours"), () => setColorScheme("dark")],
    [t("Use light colours"), () => setColorScheme("light")],
    [t("Log out"), () => void logout()],
  ];
  const places = [...pages, ...actions.map(([label, target]): Found => ({ id: `action:${label}`, label, hint: t("Action"), target }))];
  return places.filter(({ label }) => label.toLowerCase().includes(term.toLowerCase()));
}
