/** The stock of each product in each warehouse, now or at a moment in the past. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../app/api.ts";
import { money, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { may } from "../../app/permissions.ts";
import { useRead } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { ListPage } from "../../parts/list.tsx";
import { ProductLink } from "../../parts/texts.tsx";
import { useSearchState } from "../../app/location.ts";

type Level = Schemas["LevelResponse"] & { id?: number };

export default function LevelsPage() {
  const user = useUser();
  const [search] = useSearchState();
  const categories = useRead<{ items: { name: string }[] }>("/categories", { page_size: 100, sort_by: "name_asc" }, { staleMs: 60_000 }).data?.items ?? [];
  const isPast = Boolean(search.as_of);
  return (
    <ListPage<Level>
      title={t("Stock levels")}
      lead={isPast ? t("The stock at the end of this day, from the ledger. Reservations and deliveries have no past.") : undefined}
      path="/stock-levels"
      rowKey={(row) => `${row.product_id}/${row.warehouse_id}/${row.lot}`}
      filters={[
        { kind: "warehouse", name: "warehouse_id" },
        { kind: "select", name: "category", label: t("Category"), options: categories.map(({ name }) => ({ value: name, label: name })) },
        { kind: "flag", name: "low_stock", label: t("Low stock only") },
        { kind: "day", name: "as_of", label: t("As of") },
      ]}
      columns={[
        { key: "product", label: t("Product"), text: (row) => row.sku, render: (row) => <ProductLink id={row.product_id} name={row.name} sku={row.sku} /> },
        { key: "warehouse", label: t("Warehouse"), text: (row) => row.warehouse_code, render: (row) => row.warehouse_code },
        { key: "on_hand", label: t("On hand"), isNumber: true, text: (row) => row.on_hand, render: (row) => <span className={Number(row.on_hand) <= Number(row.low_stock_threshold) ? "warn strong" : ""}>{quantity(row.on_hand)}</span> },
        ...(isPast
          ? []
          : [
              { key: "reserved", label: t("Reserved"), isNumber: true, isWideOnly: true, text: (row: Level) => row.reserved, render: (row: Level) => quantity(row.reserved) },
              { key: "available", label: t("Available"), isNumber: true, text: (row: Level) => row.available, render: (row: Level) => <span className="strong">{quantity(row.available)}</span> },
              { key: "incoming", label: t("Incoming"), isNumber: true, isWideOnly: true, text: (row: Level) => row.incoming, render: (row: Level) => (Number(row.incoming) ? quantity(row.incoming) : "") },
            ]),
        ...(may(user, "cost.read")
          ? [
              { key: "cost", label: t("Average cost"), isNumber: true, isWideOnly: true, text: (row: Level) => row.average_cost, render: (row: Level) => money(row.average_cost) },
              { key: "value", label: t("Value"), isNumber: true, isWideOnly: true, text: (row: Level) => row.value, render: (row: Level) => money(row.value) },
            ]
          : []),
      ]}
      empty={{ title: t("No stock yet"), text: t("Levels appear with the first movement: an opening stock, a purchase, or a count."), action: <Button component={Link} to="/products">{t("Products")}</Button> }}
    />
  );
}
