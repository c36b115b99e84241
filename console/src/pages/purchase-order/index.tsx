/** One order: place it, receive it by scanning or counting, cancel the rest. */
import { useState } from "react";
import { Button, Checkbox, Group, Text } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { compare, type Exact, sum } from "@stockbuddy/client";
import { send, type Schemas } from "../../app/api.ts";
import { day, moment, money, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { announce, useRead, useWarehouses, useWrite } from "../../app/reads.ts";
import { DecimalInput, lookUp } from "../../parts/inputs.tsx";
import { Loaded, Page, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";
import { Definitions, ProductLink, State } from "../../parts/texts.tsx";
import { CodeReader } from "../../scanning/code-reader.tsx";
import { copiesOf, labelsSearch } from "../labels/order.ts";

type Order = Schemas["PurchaseOrderResponse"];

export default function PurchaseOrderPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  return <Loaded read={useRead<Order>(`/purchase-orders/${id}`)}>{(order) => <Detail order={order} />}</Loaded>;
}

function Detail({ order }: { order: Order }) {
  const { nameOf } = useWarehouses();
  const act = useWrite((action: string) => send("POST", `/purchase-orders/${order.id}/${action}`, {}), { done: () => t("Order {{number}} changed", { number: order.number }) });
  const received = order.lines.map((line) => ({ id: line.product_id, copies: copiesOf(String(line.received)) })).filter(({ copies }) => copies > 0);
  const isReceivable = order.status === "ordered" || order.status === "partially_received";
  return (
    <Page
      title={t("Purchase order {{number}}", { number: order.number })}
      lead={<>{order.supplier} → {nameOf(order.warehouse_id)} · <State state={order.status} /></>}
      actions={
        <>
          {received.length ? <Button variant="default" component={Link} to="/labels" search={labelsSearch(received) as never}>{t("Labels of what has arrived")}</Button> : null}
          {order.status === "draft" ? <Button loading={act.isPending} onClick={() => act.mutate("order")}>{t("Place the order")}</Button> : null}
          {isReceivable || order.status === "draft" ? <Button variant="default" loading={act.isPending} onClick={() => act.mutate("cancel")}>{order.status === "partially_received" ? t("Cancel the rest") : t("Cancel the order")}</Button> : null}
        </>
      }
    >
      {isReceivable ? <Receiving key={order.version} order={order} /> : null}
      <Section title={t("Lines")}>
        <DataTable
          isCompact
          label={t("Lines of the order")}
          rows={order.lines}
          rowKey={(row) => row.id}
          columns={[
            { key: "product", label: t("Product"), render: (row) => <ProductLink id={row.product_id} name={row.name} sku={row.sku} /> },
            { key: "quantity", label: t("Ordered"), isNumber: true, render: (row) => quantity(row.quantity) },
            { key: "received", label: t("Received"), isNumber: true, render: (row) => quantity(row.received) },
            { key: "outstanding", label: t("Outstanding"), isNumber: true, render: (row) => (Number(row.outstanding) ? <span className="warn strong">{quantity(row.outstanding)}</span> : "0") },
            { key: "cost", label: t("Cost"), isNumber: true, isWideOnly: true, render: (row) => money(row.unit_cost) },
            { key: "total", label: t("Total"), isNumber: true, isWideOnly: true, render: (row) => money(row.total) },
          ]}
          footer={<tr className="wide-only"><th scope="row" colSpan={5}>{t("Total")}</th><td className="number">{money(order.total)}</td></tr>}
        />
      </Section>
      <Section title={t("About this order")}>
        <Definitions items={[[t("Created"), moment(order.created_at)], [t("Ordered"), order.ordered_at ? moment(order.ordered_at) : null], [t("Expected"), order.expected_at ? day(order.expected_at) : null], [t("Received"), order.received_at ? moment(order.received_at) : null], [t("Reference"), order.reference], [t("Notes"), order.notes]]} />
      </Section>
    </Page>
  );
}

function Receiving({ order }: { order: Order }) {
  const [counted, setCounted] = useState<Record<number, string>>({});
  const [allowsMore, setAllowsMore] = useState(false);
  const open = order.lines.filter((line) => Number(line.outstanding) > 0);
  const given = open.filter((line) => Number(counted[line.id] || 0) > 0);
  const isOver = given.some((line) => compare(counted[line.id] as Exact, line.outstanding as Exact) > 0);
  const receive = useWrite(
    () => send("POST", `/purchase-orders/${order.id}/receive`, { lines: given.map((line) => ({ line_id: line.id, quantity: counted[line.id] })), allow_over_receipt: allowsMore }),
    { done: () => t("Received and in stock") },
  );
  const onScan = async (code: string): Promise<void> => {
    const product = await lookUp(code);
    const line = open.find((one) => one.product_id === product?.id);
    if (!line) announce(t("{{code}} is not on this order", { code }), { isError: true });
    else setCounted((known) => ({ ...known, [line.id]: sum((known[line.id] || "0") as Exact, 1) }));
  };
  return (
    <Section title={t("Receive")} actions={<Text size="sm" c="dimmed">{t("Scan each piece, or enter the quantities.")}</Text>}>
      <CodeReader onCode={onScan} />
      <Group align="flex-end">
        {open.map((line) => (
          <DecimalInput key={line.id} w={200} label={<span className="clip" style={{ display: "inline-block", maxWidth: 190 }}>{line.name}</span>} description={t("{{sku}} · {{count}} outstanding", { sku: line.sku, count: quantity(line.outstanding) })} value={counted[line.id] ?? ""} onChange={(value) => setCounted({ ...counted, [line.id]: value })} />
        ))}
      </Group>
      {isOver ? <Checkbox mt="sm" label={t("More than ordered has arrived, and we keep it")} checked={allowsMore} onChange={(event) => setAllowsMore(event.currentTarget.checked)} /> : null}
      <Group mt="md">
        <Button loading={receive.isPending} disabled={given.length === 0 || (isOver && !allowsMore)} onClick={() => receive.mutate(undefined)}>{t("Receive these")}</Button>
        <Button variant="default" onClick={() => setCounted(Object.fromEntries(open.map((line) => [line.id, String(line.outstanding)])))}>{t("Everything has arrived")}</Button>
      </Group>
    </Section>
  );
}
