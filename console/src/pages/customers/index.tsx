/** The customers. */
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../app/api.ts";
import { day } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { DialogButton } from "../../parts/dialog.tsx";
import { ListPage } from "../../parts/list.tsx";
import { RecordDialog } from "../../parts/record.tsx";
import { CUSTOMER_FIELDS } from "./fields.ts";

export default function CustomersPage() {
  const create = <DialogButton label={t("New customer")}>{(close) => <RecordDialog path="/customers" title={t("New customer")} fields={CUSTOMER_FIELDS} onClose={close} />}</DialogButton>;
  return (
    <ListPage<Schemas["CustomerResponse"]>
      title={t("Customers")}
      path="/customers"
      defaultSort="name_asc"
      actions={create}
      filters={[{ kind: "search", name: "search", label: t("Name, e-mail or phone") }]}
      columns={[
        { key: "name", label: t("Name"), sort: "name", text: (row) => row.name, render: (row) => <Link to={`/customers/${row.id}`}>{row.name}</Link> },
        { key: "email", label: t("E-mail"), text: (row) => row.email, render: (row) => (row.email ? <a href={`mailto:${row.email}`}>{row.email}</a> : "") },
        { key: "phone", label: t("Phone"), isWideOnly: true, text: (row) => row.phone, render: (row) => row.phone ?? "" },
        { key: "since", label: t("Since"), sort: "created", isWideOnly: true, text: (row) => row.created_at, render: (row) => day(row.created_at) },
      ]}
      empty={{ title: t("No customers yet"), text: t("Sales need no customer. Enter those whose purchases you want to find again."), action: create }}
    />
  );
}
