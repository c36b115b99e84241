/** What to order, and why: choose suggestions and turn them into purchase orders. */
import { Button } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { send, type Schemas } from "../../app/api.ts";
import { quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { announce, useWrite } from "../../app/reads.ts";
import { ListPage } from "../../parts/list.tsx";
import { Reasons } from "../../parts/reasons.tsx";
import { ProductLink } from "../../parts/texts.tsx";

type Suggestion = Schemas["SuggestionResponse"] & { id?: number };

export default function ReorderPage() {
  return (
    <ListPage<Suggestion>
      title={t("Reorder")}
      lead={t("From a forecast of the demand, the suppliers' lead times, and what is in stock, reserved and on its way.")}
      path="/reorder-suggestions"
      rowKey={(row) => row.product_id * 100_000 + row.warehouse_id}
      filters={[{ kind: "warehouse", name: "warehouse_id" }]}
      columns={[
        { key: "product", label: t("Product"), text: (row) => row.sku, render: (row) => <ProductLink id={row.product_id} name={row.name} sku={row.sku} /> },
        { key: "warehouse", label: t("Warehouse"), isWideOnly: true, text: (row) => row.warehouse_code, render: (row) => row.warehouse_code },
        { key: "supplier", label: t("Supplier"), text: (row) => row.supplier, render: (row) => row.supplier ?? <span className="warn">{t("none")}</span> },
        { key: "stock", label: t("Position"), isNumber: true, text: (row) => row.inputs.position, render: (row) => quantity(row.inputs.position) },
        { key: "demand", label: t("Needed per day"), isNumber: true, isWideOnly: true, text: (row) => row.inputs.demand_per_day, render: (row) => quantity(row.inputs.demand_per_day) },
        { key: "lead", label: t("Lead time"), isNumber: true, isWideOnly: true, text: (row) => row.inputs.lead_time_days, render: (row) => t("days", { count: row.inputs.lead_time_days }) },
        { key: "left", label: t("Lasts"), isNumber: true, text: (row) => row.days_left, render: (row) => (row.days_left === null ? "–" : <span className={Number(row.days_left) < row.inputs.lead_time_days ? "bad strong" : ""}>{t("days", { count: Math.floor(Number(row.days_left)) })}</span>) },
        { key: "quantity", label: t("Order"), isNumber: true, text: (row) => row.quantity, render: (row) => <><span className="strong">{quantity(row.quantity)}</span><Reasons reasons={row.explanation} /></> },
      ]}
      bulk={(rows, clear) => <OrderButton rows={rows} clear={clear} />}
      empty={{ title: t("Nothing to order"), text: t("As soon as a product falls to its reorder point it appears here. The threshold of a product and the lead time of its supplier decide when."), action: <Button variant="default" component={Link} to="/products" search={{ low_stock: "true" } as never}>{t("Products with low stock")}</Button> }}
    />
  );
}

function OrderButton({ rows, clear }: { rows: Suggestion[]; clear: () => void }) {
  const navigate = useNavigate();
  const withoutSupplier = rows.filter((row) => row.supplier_id === null).length;
  const order = useWrite(
    () => send<Schemas["OrderSuggestionsResponse"]>("POST", "/reorder-suggestions/order", { lines: rows.map((row) => ({ product_id: row.product_id, quantity: row.quantity, warehouse_code: row.warehouse_code })) }),
    {
      onDone: ({ purchase_orders }) => {
        clear();
        announce(t("Drafts written: {{numbers}}", { numbers: purchase_orders.map(({ number }) => number).join(", ") }));
        void navigate({ to: "/purchase-orders", search: { status: "draft" } as never });
      },
    },
  );
  return (
    <>
      <Button size="xs" disabled={withoutSupplier > 0} loading={order.isPending} onClick={() => order.mutate(undefined)}>{t("Write the orders")}</Button>
      {withoutSupplier ? <span className="warn">{t("{{count}} of them have no supplier: edit the product first.", { count: withoutSupplier })}</span> : null}
    </>
  );
}
