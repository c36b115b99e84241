/** The groups of products. */
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../app/api.ts";
import { integer } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { mayChange } from "../../app/permissions.ts";
import { useRead } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { DialogButton } from "../../parts/dialog.tsx";
import { ListPage } from "../../parts/list.tsx";
import { type Field, RecordActions, RecordDialog } from "../../parts/record.tsx";

type Category = Schemas["CategoryResponse"];

export default function CategoriesPage() {
  const user = useUser();
  const all = useRead<{ items: Category[] }>("/categories", { page_size: 100 }).data?.items ?? [];
  const nameOf = (id: number | null) => all.find((one) => one.id === id)?.name ?? "";
  const fields: Field[] = [
    { name: "name", label: t("Name"), isRequired: true },
    { name: "parent_id", label: t("Inside"), kind: "select", options: [{ value: "", label: t("No other category") }, ...all.map((one) => ({ value: String(one.id), label: one.name }))] },
  ];
  const create = <DialogButton label={t("New category")}>{(close) => <RecordDialog path="/categories" title={t("New category")} fields={fields} onClose={close} />}</DialogButton>;
  return (
    <ListPage<Category>
      title={t("Categories")}
      path="/categories"
      defaultSort="name_asc"
      actions={create}
      filters={[{ kind: "search", name: "search", label: t("Name") }]}
      columns={[
        { key: "name", label: t("Name"), sort: "name", text: (row) => row.name, render: (row) => <Link to="/products" search={{ category: row.name } as never}>{row.name}</Link> },
        { key: "parent", label: t("Inside"), text: (row) => nameOf(row.parent_id), render: (row) => nameOf(row.parent_id) },
        { key: "count", label: t("Products"), isNumber: true, text: (row) => row.product_count, render: (row) => integer(row.product_count ?? 0) },
        { key: "actions", label: t("Actions"), isAction: true, render: (row) => (mayChange(user, row) ? <RecordActions path="/categories" title={t("Edit category")} fields={fields} record={row} name={row.name} /> : "") },
      ]}
      empty={{ title: t("No categories yet"), text: t("Categories group products in lists, reports and counts. One that a product names is created by itself."), action: create }}
    />
  );
}
