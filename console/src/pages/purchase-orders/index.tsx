/** Orders to suppliers. */
import { useState } from "react";
import { TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { send, type Schemas } from "../../app/api.ts";
import { day, money } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useWarehouses, useWrite } from "../../app/reads.ts";
import { DialogButton, FormDialog } from "../../parts/dialog.tsx";
import { SupplierPicker, WarehouseSelect } from "../../parts/inputs.tsx";
import { areComplete, type Line, LinesEditor } from "../../parts/lines.tsx";
import { ListPage } from "../../parts/list.tsx";
import { State } from "../../parts/texts.tsx";
import { stateOptions } from "../../parts/words.ts";

type Order = Schemas["PurchaseOrderResponse"];

export default function PurchaseOrdersPage() {
  const { nameOf } = useWarehouses();
  const create = <DialogButton label={t("New order")}>{(close) => <NewOrder onClose={close} />}</DialogButton>;
  return (
    <ListPage<Order>
      title={t("Purchase orders")}
      path="/purchase-orders"
      actions={create}
      filters={[
        { kind: "search", name: "search", label: t("Number, supplier, reference") },
        { kind: "select", name: "status", label: t("State"), options: stateOptions("draft", "ordered", "partially_received", "received", "cancelled") },
        { kind: "warehouse", name: "warehouse_id" },
      ]}
      columns={[
        { key: "number", label: t("Number"), text: (row) => row.number, render: (row) => <Link to={`/purchase-orders/${row.id}`} className="nowrap">{row.number}</Link> },
        { key: "supplier", label: t("Supplier"), text: (row) => row.supplier, render: (row) => row.supplier },
        { key: "warehouse", label: t("To"), isWideOnly: true, text: (row) => nameOf(row.warehouse_id), render: (row) => nameOf(row.warehouse_id) },
        { key: "lines", label: t("Lines"), isNumber: true, isWideOnly: true, text: (row) => row.lines.length, render: (row) => row.lines.length },
        { key: "expected", label: t("Expected"), isWideOnly: true, text: (row) => row.expected_at, render: (row) => day(row.expected_at) },
        { key: "state", label: t("State"), text: (row) => row.status, render: (row) => <State state={row.status} /> },
        { key: "total", label: t("Total"), isNumber: true, text: (row) => row.total, render: (row) => money(row.total) },
      ]}
      empty={{ title: t("No orders yet"), text: t("Order from a supplier, or let the reorder suggestions write the orders."), action: create }}
    />
  );
}

function NewOrder({ onClose }: { onClose: () => void }) {
  const { standard } = useWarehouses();
  const navigate = useNavigate();
  const [supplier, setSupplier] = useState<{ id: number; name: string }>();
  const [warehouse, setWarehouse] = useState("");
  const [expected, setExpected] = useState("");
  const [lines, setLines] = useState<Line[]>([]);
  const warehouseId = Number(warehouse || standard?.id);
  const create = useWrite(
    () =>
      send<Order>("POST", "/purchase-orders", {
        supplier_id: supplier?.id,
        warehouse_id: warehouseId,
        ...(expected ? { expected_at: `${expected}T12:00:00Z` } : {}),
        lines: lines.map((line) => ({ product_id: line.productId, quantity: line.quantity, ...(line.price ? { unit_cost: line.price } : {}) })),
      }),
    { showsErrors: false, onDone: (order) => void navigate({ to: `/purchase-orders/${order.id}` }) },
  );
  return (
    <FormDialog size="xl" title={t("New order")} button={t("Save as a draft")} isDisabled={!supplier || !areComplete(lines)} onClose={onClose} onSubmit={() => create.mutateAsync(undefined)}>
      <SupplierPicker shown={supplier?.name ?? ""} onPick={(one) => setSupplier({ id: one.id, name: one.name })} />
      <WarehouseSelect label={t("Deliver to")} value={String(warehouseId || "")} onChange={setWarehouse} />
      <TextInput type="date" label={t("Expected on")} value={expected} onChange={(event) => setExpected(event.currentTarget.value)} />
      <LinesEditor lines={lines} onChange={setLines} priceLabel={t("Cost")} priceOf={(product) => String(product.cost_price ?? "")} />
    </FormDialog>
  );
}
