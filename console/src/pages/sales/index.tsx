/** The sales, newest first. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../app/api.ts";
import { moment, money } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { may } from "../../app/permissions.ts";
import { useWarehouses } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { ListPage } from "../../parts/list.tsx";
import { State } from "../../parts/texts.tsx";
import { stateOptions } from "../../parts/words.ts";

type Sale = Schemas["SaleResponse"];

export default function SalesPage() {
  const user = useUser();
  const warehouses = useWarehouses();
  return (
    <ListPage<Sale>
      title={t("Sales")}
      path="/sales"
      actions={<Button component={Link} to="/sell">{t("New sale")}</Button>}
      filters={[
        { kind: "search", name: "search", label: t("Number, product, customer") },
        { kind: "select", name: "status", label: t("State"), options: stateOptions("completed", "partially_returned", "returned", "voided") },
        { kind: "warehouse", name: "warehouse_id", label: t("Shop") },
        { kind: "day", name: "from", label: t("From") },
        { kind: "day", name: "to", label: t("Before") },
      ]}
      columns={[
        { key: "number", label: t("Number"), text: (row) => row.number, render: (row) => <Link to={`/sales/${row.id}`} className="nowrap">{row.number}</Link> },
        { key: "at", label: t("When"), text: (row) => row.occurred_at, render: (row) => <span className="nowrap">{moment(row.occurred_at)}</span> },
        { key: "lines", label: t("Products"), isWideOnly: true, text: (row) => row.lines.map((line) => line.sku).join(" "), render: (row) => <div className="clip">{row.lines.map((line) => line.name).join(", ")}</div> },
        { key: "warehouse", label: t("Shop"), isWideOnly: true, text: (row) => warehouses.nameOf(row.warehouse_id), render: (row) => warehouses.nameOf(row.warehouse_id) },
        { key: "seller", label: t("Seller"), isWideOnly: true, text: (row) => row.seller, render: (row) => row.seller ?? "–" },
        { key: "state", label: t("State"), text: (row) => row.status, render: (row) => <State state={row.status} /> },
        ...(may(user, "cost.read") ? [{ key: "profit", label: t("Profit"), isNumber: true, isWideOnly: true, text: (row: Sale) => row.profit, render: (row: Sale) => money(row.profit) }] : []),
        { key: "total", label: t("Total"), isNumber: true, text: (row) => row.total, render: (row) => <span className="strong">{money(row.total)}</span> },
      ]}
      empty={{ title: t("No sales yet"), text: t("Sell the first product at the till. Sales from other tills and shops appear here as well."), action: <Button component={Link} to="/sell">{t("Open the till")}</Button> }}
    />
  );
}
