/** Costs that are no goods; the profit report subtracts them. */
import type { Schemas } from "../../app/api.ts";
import { day, money, today } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useWarehouses } from "../../app/reads.ts";
import { DialogButton } from "../../parts/dialog.tsx";
import { ListPage } from "../../parts/list.tsx";
import { type Field, RecordActions, RecordDialog } from "../../parts/record.tsx";

type Expense = Schemas["ExpenseResponse"];

export default function ExpensesPage() {
  const warehouses = useWarehouses();
  const fields: Field[] = [
    { name: "category", label: t("What for"), isRequired: true, description: t("Rent, wages, electricity …") },
    { name: "amount", label: t("Amount"), kind: "decimal", isRequired: true },
    { name: "incurred_on", label: t("Day"), kind: "date", isRequired: true, initial: today() },
    { name: "warehouse_id", label: t("Shop"), kind: "select", options: [{ value: "", label: t("The whole company") }, ...warehouses.items.map((one) => ({ value: String(one.id), label: one.name }))] },
    { name: "notes", label: t("Notes"), kind: "area" },
  ];
  const create = <DialogButton label={t("New expense")}>{(close) => <RecordDialog path="/expenses" title={t("New expense")} fields={fields} onClose={close} />}</DialogButton>;
  return (
    <ListPage<Expense>
      title={t("Expenses")}
      path="/expenses"
      defaultSort="incurred_desc"
      actions={create}
      filters={[{ kind: "search", name: "search", label: t("What for, notes") }, { kind: "warehouse", name: "warehouse_id", label: t("Shop") }, { kind: "day", name: "from", label: t("From") }, { kind: "day", name: "to", label: t("Before") }]}
      columns={[
        { key: "day", label: t("Day"), sort: "incurred", text: (row) => row.incurred_on, render: (row) => <span className="nowrap">{day(row.incurred_on)}</span> },
        { key: "category", label: t("What for"), text: (row) => row.category, render: (row) => row.category },
        { key: "shop", label: t("Shop"), isWideOnly: true, text: (row) => (row.warehouse_id ? warehouses.nameOf(row.warehouse_id) : ""), render: (row) => (row.warehouse_id ? warehouses.nameOf(row.warehouse_id) : "") },
        { key: "notes", label: t("Notes"), isWideOnly: true, text: (row) => row.notes, render: (row) => <div className="clip">{row.notes ?? ""}</div> },
        { key: "amount", label: t("Amount"), isNumber: true, sort: "amount", text: (row) => row.amount, render: (row) => money(row.amount) },
        { key: "actions", label: t("Actions"), isAction: true, render: (row) => <RecordActions path="/expenses" title={t("Edit expense")} fields={fields} record={row} name={row.category} /> },
      ]}
      empty={{ title: t("No expenses yet"), text: t("Enter rent, wages and the like: the profit report subtracts them from the profit of the sales."), action: create }}
    />
  );
}
