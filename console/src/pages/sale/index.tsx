/** One sale: its lines, what came back, and the ways to undo it. */
import { useState } from "react";
import { Button, Checkbox, Text, TextInput } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { compare, type Exact, sum } from "@stockbuddy/client";
import { send, type Schemas } from "../../app/api.ts";
import { moment, money, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { may } from "../../app/permissions.ts";
import { useRead, useWarehouses, useWrite } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { DialogButton, FormDialog } from "../../parts/dialog.tsx";
import { DecimalInput } from "../../parts/inputs.tsx";
import { Loaded, Page, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";
import { Definitions, ProductLink, State } from "../../parts/texts.tsx";
import { paymentLabel } from "../../parts/words.ts";

type Sale = Schemas["SaleResponse"];

export default function SalePage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const read = useRead<Sale>(`/sales/${id}`);
  return <Loaded read={read}>{(sale) => <Detail sale={sale} />}</Loaded>;
}

function Detail({ sale }: { sale: Sale }) {
  const user = useUser();
  const warehouses = useWarehouses();
  const customer = useRead<Schemas["CustomerResponse"]>(sale.customer_id ? `/customers/${sale.customer_id}` : undefined);
  const hasReturns = compare(sale.refunded as Exact, 0) > 0;
  const isOpen = sale.status === "completed" || sale.status === "partially_returned";
  return (
    <Page
      title={t("Sale {{number}}", { number: sale.number })}
      lead={<State state={sale.status} />}
      actions={
        <>
          <Button variant="default" onClick={() => print()}>{t("Print the receipt")}</Button>
          {isOpen ? <DialogButton label={t("Take back")}>{(close) => <ReturnDialog sale={sale} onClose={close} />}</DialogButton> : null}
          {isOpen && !hasReturns ? <DialogButton variant="default" label={t("Void")}>{(close) => <VoidDialog sale={sale} onClose={close} />}</DialogButton> : null}
        </>
      }
    >
      <div className="columns uneven">
        <Section title={t("Lines")}>
          <DataTable
            isCompact
            label={t("Lines of the sale")}
            rows={sale.lines}
            rowKey={(row) => row.id}
            columns={[
              { key: "product", label: t("Product"), render: (row) => <ProductLink id={row.product_id} name={row.name} sku={row.sku} /> },
              { key: "quantity", label: t("Quantity"), isNumber: true, render: (row) => <>{quantity(row.quantity)}{Number(row.returned) ? <div className="warn">{t("{{count}} back", { count: quantity(row.returned) })}</div> : null}</> },
              { key: "price", label: t("Price"), isNumber: true, render: (row) => money(row.unit_price) },
              { key: "discount", label: t("Discount"), isNumber: true, isWideOnly: true, render: (row) => (Number(row.discount) ? money(row.discount) : "") },
              { key: "total", label: t("Total"), isNumber: true, render: (row) => money(row.total) },
            ]}
            footer={<tr><th scope="row" colSpan={3}>{t("Total")}</th><td className="wide-only" /><td className="number">{money(sale.total)}</td></tr>}
          />
        </Section>
        <Section title={t("About this sale")}>
          <Definitions
            items={[
              [t("When"), moment(sale.occurred_at)],
              [t("Shop"), warehouses.nameOf(sale.warehouse_id)],
              [t("Seller"), sale.seller],
              [t("Customer"), customer.data ? <Link to={`/customers/${customer.data.id}`}>{customer.data.name}</Link> : null],
              [t("Payment"), paymentLabel(sale.payment_method)],
              [t("Reference"), sale.reference],
              [t("Notes"), sale.notes],
              [t("Refunded"), hasReturns ? money(sale.refunded) : null],
              [t("Profit"), may(user, "cost.read") ? money(sale.profit) : null],
            ]}
          />
        </Section>
      </div>
      {hasReturns ? <Returns saleId={sale.id} /> : null}
    </Page>
  );
}

function Returns({ saleId }: { saleId: number }) {
  const read = useRead<Schemas["SaleReturnResponse"][]>(`/sales/${saleId}/returns`);
  return (
    <Section title={t("Returns")}>
      <Loaded read={read}>
        {(returns) => (
          <DataTable isCompact label={t("Returns of the sale")} rows={returns} rowKey={(row) => row.id} columns={[
            { key: "at", label: t("When"), render: (row) => moment(row.occurred_at) },
            { key: "what", label: t("What"), render: (row) => row.lines.map((line) => `${quantity(line.quantity)} × ${line.sku}`).join(", ") },
            { key: "reason", label: t("Reason"), isWideOnly: true, render: (row) => row.reason ?? "" },
            { key: "stock", label: t("Into the stock"), isWideOnly: true, render: (row) => (row.restock ? t("yes") : t("no")) },
            { key: "total", label: t("Refund"), isNumber: true, render: (row) => money(row.total) },
          ]} />
        )}
      </Loaded>
    </Section>
  );
}

function ReturnDialog({ sale, onClose }: { sale: Sale; onClose: () => void }) {
  const open = sale.lines.filter((line) => compare(line.returned as Exact, line.quantity as Exact) < 0);
  const [amounts, setAmounts] = useState<Record<number, string>>({});
  const [isRestocked, setRestocked] = useState(true);
  const [reason, setReason] = useState("");
  const lines = open.filter((line) => Number(amounts[line.id] || 0) > 0).map((line) => ({ line_id: line.id, quantity: amounts[line.id] as string }));
  const post = useWrite(() => send<Schemas["SaleReturnResponse"]>("POST", `/sales/${sale.id}/returns`, { lines, restock: isRestocked, reason: reason || null }), {
    showsErrors: false,
    done: (result) => t("Refund {{total}}", { total: money(result.total) }),
  });
  return (
    <FormDialog title={t("Take back from sale {{number}}", { number: sale.number })} button={t("Take back and refund")} isDisabled={lines.length === 0} onClose={onClose} onSubmit={() => post.mutateAsync(undefined)}>
      {open.map((line) => {
        const left = sum(line.quantity as Exact, `-${line.returned ?? 0}` as Exact);
        return (
          <DecimalInput key={line.id} label={line.name} description={t("At most {{count}}", { count: quantity(left) })} value={amounts[line.id] ?? ""} onChange={(value) => setAmounts({ ...amounts, [line.id]: value })} />
        );
      })}
      <Checkbox label={t("Put the goods back into the stock")} checked={isRestocked} onChange={(event) => setRestocked(event.currentTarget.checked)} />
      <TextInput label={t("Reason")} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
    </FormDialog>
  );
}

function VoidDialog({ sale, onClose }: { sale: Sale; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const post = useWrite(() => send("POST", `/sales/${sale.id}/void`, { reason: reason || null }), { showsErrors: false, done: () => t("Sale voided: {{total}} is to be paid back", { total: money(sale.total) }) });
  return (
    <FormDialog title={t("Void sale {{number}}", { number: sale.number })} button={t("Void the sale")} isDanger onClose={onClose} onSubmit={() => post.mutateAsync(undefined)}>
      <Text size="sm">{t("All its goods return to the stock, and {{total}} is to be paid back. This can't be undone.", { total: money(sale.total) })}</Text>
      <TextInput label={t("Reason")} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
    </FormDialog>
  );
}
