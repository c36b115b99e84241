/** The ledger: what moved, by which document, and its reversal. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { send, type Schemas } from "../../app/api.ts";
import { moment, money, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { may } from "../../app/permissions.ts";
import { announce, useRead, useWarehouses, useWrite } from "../../app/reads.ts";
import { useSearchState } from "../../app/location.ts";
import { useUser } from "../../app/session.tsx";
import { ListPage } from "../../parts/list.tsx";
import { Signed } from "../../parts/texts.tsx";
import { movementLabel, movementOptions } from "../../parts/words.ts";

type Movement = Schemas["MovementResponse"];
/** Movements of these kinds belong to a document, which undoes them. */
const OF_DOCUMENTS = new Set(["sale", "return", "transfer_in", "transfer_out"]);

export default function MovementsPage() {
  const user = useUser();
  const warehouses = useWarehouses();
  const [search, change] = useSearchState();
  const product = useRead<Schemas["ProductResponse"]>(search.product_id ? `/products/${search.product_id}` : undefined);
  return (
    <ListPage<Movement>
      title={t("Movements")}
      lead={search.product_id ? <>{product.data?.name ?? `#${search.product_id}`} · <Button variant="transparent" size="compact-sm" onClick={() => change({ product_id: "" })}>{t("all products")}</Button></> : t("The ledger: nothing in it is ever changed; a mistake is reversed by another movement.")}
      path="/stock-movements"
      query={search.product_id ? { product_id: search.product_id } : {}}
      filters={[
        { kind: "select", name: "movement_type", label: t("Kind"), options: movementOptions },
        { kind: "warehouse", name: "warehouse_id" },
        { kind: "day", name: "from", label: t("From") },
        { kind: "day", name: "to", label: t("Before") },
      ]}
      columns={[
        { key: "at", label: t("When"), text: (row) => row.occurred_at, render: (row) => <span className="nowrap">{moment(row.occurred_at)}</span> },
        { key: "product", label: t("Product"), text: (row) => row.sku, render: (row) => <Link to={`/products/${row.product_id}`}>{row.sku}</Link> },
        { key: "type", label: t("Kind"), text: (row) => row.movement_type, render: (row) => <>{movementLabel(row.movement_type)}{row.reverses_id ? <span className="dim"> {t("(reversal)")}</span> : null}</> },
        { key: "warehouse", label: t("Warehouse"), isWideOnly: true, text: (row) => warehouses.nameOf(row.warehouse_id), render: (row) => warehouses.nameOf(row.warehouse_id) },
        { key: "document", label: t("Document"), isWideOnly: true, text: (row) => row.reference_number ?? row.document, render: (row) => <div className="clip">{row.reference_number ?? row.document ?? row.notes ?? ""}</div> },
        ...(may(user, "cost.read") ? [{ key: "value", label: t("Value"), isNumber: true, isWideOnly: true, text: (row: Movement) => row.value, render: (row: Movement) => money(row.value) }] : []),
        { key: "quantity", label: t("Quantity"), isNumber: true, text: (row) => row.quantity, render: (row) => <Signed value={row.quantity} /> },
        { key: "balance", label: t("Balance"), isNumber: true, text: (row) => row.balance, render: (row) => quantity(row.balance) },
        ...(may(user, "stock.move_any") ? [{ key: "reverse", label: t("Undo"), render: (row: Movement) => <Reverse movement={row} /> }] : []),
      ]}
      empty={{ title: t("Nothing has moved yet"), text: t("Open a product to move stock by hand; sales, purchases and transfers write their movements themselves."), action: <Button component={Link} to="/products">{t("Products")}</Button> }}
    />
  );
}

function Reverse({ movement }: { movement: Movement }) {
  const reverse = useWrite(() => send<Movement>("POST", `/stock-movements/${movement.id}/reverse`, {}), {
    onDone: (result) => announce(t("Reversed. Balance of {{sku}}: {{balance}}", { sku: result.sku, balance: quantity(result.balance) })),
  });
  if (movement.reverses_id || movement.document || OF_DOCUMENTS.has(movement.movement_type)) return null;
  return <Button size="compact-xs" variant="default" loading={reverse.isPending} aria-label={t("Reverse movement {{id}}", { id: movement.id })} onClick={() => reverse.mutate(undefined)}>{t("Reverse")}</Button>;
}
