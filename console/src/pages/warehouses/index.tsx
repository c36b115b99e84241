/** The places that hold stock. */
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { may } from "../../app/permissions.ts";
import { useUser } from "../../app/session.tsx";
import { DialogButton } from "../../parts/dialog.tsx";
import { ListPage } from "../../parts/list.tsx";
import { type Field, RecordActions, RecordDialog } from "../../parts/record.tsx";
import { Tag } from "../../parts/texts.tsx";

type Warehouse = Schemas["WarehouseResponse"];

const FIELDS: Field[] = [
  { name: "name", label: t("Name"), isRequired: true },
  { name: "code", label: t("Code"), isRequired: true, description: t("Short, as on labels and in files") },
  { name: "kind", label: t("Kind"), kind: "select", initial: "warehouse", options: [{ value: "warehouse", label: t("Warehouse") }, { value: "store", label: t("Shop") }] },
  { name: "negative_stock", label: t("Below zero"), kind: "select", options: [{ value: "", label: t("As in the settings") }, { value: "reject", label: t("Reject") }, { value: "allow", label: t("Allow, and mark the movement") }] },
  { name: "address", label: t("Address"), kind: "area" },
  { name: "is_default", label: t("Default for new stock"), kind: "flag" },
];

export default function WarehousesPage() {
  const user = useUser();
  const create = may(user, "warehouse.write") ? <DialogButton label={t("New warehouse")}>{(close) => <RecordDialog path="/warehouses" title={t("New warehouse")} fields={FIELDS} onClose={close} />}</DialogButton> : null;
  return (
    <ListPage<Warehouse>
      title={t("Warehouses")}
      path="/warehouses"
      actions={create}
      columns={[
        { key: "name", label: t("Name"), text: (row) => row.name, render: (row) => <><Link to="/stock-levels" search={{ warehouse_id: String(row.id) } as never}>{row.name}</Link> {row.is_default ? <Tag>{t("default")}</Tag> : null}</> },
        { key: "code", label: t("Code"), text: (row) => row.code, render: (row) => row.code },
        { key: "kind", label: t("Kind"), text: (row) => row.kind, render: (row) => (row.kind === "store" ? t("Shop") : t("Warehouse")) },
        { key: "address", label: t("Address"), isWideOnly: true, text: (row) => row.address, render: (row) => row.address ?? "" },
        ...(may(user, "warehouse.write") ? [{ key: "actions", label: t("Actions"), isAction: true, render: (row: Warehouse) => <RecordActions path="/warehouses" title={t("Edit warehouse")} fields={FIELDS} record={row} name={row.name} /> }] : []),
      ]}
      empty={{ title: t("No warehouses yet"), text: t("The first one appears by itself; add a warehouse or a shop for each place that holds stock."), action: create }}
    />
  );
}
