/** Who the goods come from. */
import type { Schemas } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { mayChange } from "../../app/permissions.ts";
import { useUser } from "../../app/session.tsx";
import { DialogButton } from "../../parts/dialog.tsx";
import { ListPage } from "../../parts/list.tsx";
import { type Field, RecordActions, RecordDialog } from "../../parts/record.tsx";

type Supplier = Schemas["SupplierResponse"];

const FIELDS: Field[] = [
  { name: "name", label: t("Name"), isRequired: true },
  { name: "contact_email", label: t("E-mail"), kind: "email" },
  { name: "phone_number", label: t("Phone") },
  { name: "lead_time_days", label: t("Days from order to delivery"), kind: "decimal", description: t("Reorder suggestions use it") },
  { name: "address", label: t("Address"), kind: "area" },
];

export default function SuppliersPage() {
  const user = useUser();
  const create = <DialogButton label={t("New supplier")}>{(close) => <RecordDialog path="/suppliers" title={t("New supplier")} fields={FIELDS} onClose={close} />}</DialogButton>;
  return (
    <ListPage<Supplier>
      title={t("Suppliers")}
      path="/suppliers"
      defaultSort="name_asc"
      actions={create}
      filters={[{ kind: "search", name: "search", label: t("Name") }]}
      columns={[
        { key: "name", label: t("Name"), sort: "name", text: (row) => row.name, render: (row) => <span className="strong">{row.name}</span> },
        { key: "email", label: t("E-mail"), text: (row) => row.contact_email, render: (row) => (row.contact_email ? <a href={`mailto:${row.contact_email}`}>{row.contact_email}</a> : "") },
        { key: "phone", label: t("Phone"), isWideOnly: true, text: (row) => row.phone_number, render: (row) => row.phone_number ?? "" },
        { key: "lead", label: t("Lead time"), isNumber: true, isWideOnly: true, text: (row) => row.lead_time_days, render: (row) => (row.lead_time_days === null ? "" : t("days", { count: row.lead_time_days })) },
        { key: "actions", label: t("Actions"), isAction: true, render: (row) => (mayChange(user, row) ? <RecordActions path="/suppliers" title={t("Edit supplier")} fields={FIELDS} record={row} name={row.name} /> : "") },
      ]}
      empty={{ title: t("No suppliers yet"), text: t("Purchase orders and reorder suggestions need to know where the goods come from."), action: create }}
    />
  );
}
