/** One transfer: ship it, receive it by scanning or counting, or cancel it. */
import { useState } from "react";
import { Button, Group, Radio, Text } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { type Exact, sum } from "@stockbuddy/client";
import { send, type Schemas } from "../../app/api.ts";
import { moment, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { announce, useRead, useWarehouses, useWrite } from "../../app/reads.ts";
import { DialogButton, FormDialog } from "../../parts/dialog.tsx";
import { DecimalInput, lookUp } from "../../parts/inputs.tsx";
import { Loaded, Page, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";
import { Definitions, ProductLink, State } from "../../parts/texts.tsx";
import { CodeReader } from "../../scanning/code-reader.tsx";

type Transfer = Schemas["TransferResponse"];

export default function TransferPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  return <Loaded read={useRead<Transfer>(`/stock-transfers/${id}`)}>{(transfer) => <Detail transfer={transfer} />}</Loaded>;
}

function Detail({ transfer }: { transfer: Transfer }) {
  const { nameOf } = useWarehouses();
  const act = useWrite((action: string) => send("POST", `/stock-transfers/${transfer.id}/${action}`, {}), { done: () => t("Transfer {{number}} changed", { number: transfer.number }) });
  const isPending = transfer.status === "pending";
  const isOpen = isPending || transfer.status === "in_transit";
  return (
    <Page
      title={t("Transfer {{number}}", { number: transfer.number })}
      lead={<>{nameOf(transfer.from_warehouse_id)} → {nameOf(transfer.to_warehouse_id)} · <State state={transfer.status} /></>}
      actions={
        <>
          {isPending ? <Button loading={act.isPending} onClick={() => act.mutate("ship")}>{t("Ship")}</Button> : null}
          {isPending ? <Button variant="default" loading={act.isPending} onClick={() => act.mutate("complete")}>{t("Ship and receive all")}</Button> : null}
          {transfer.status === "in_transit" ? <Button loading={act.isPending} onClick={() => act.mutate("complete")}>{t("Receive all")}</Button> : null}
          {isOpen ? <DialogButton variant="default" label={t("Cancel the transfer")}>{(close) => <CancelDialog transfer={transfer} onClose={close} />}</DialogButton> : null}
        </>
      }
    >
      <Section title={t("Goods")}>
        <DataTable
          isCompact
          label={t("Goods of the transfer")}
          rows={transfer.lines}
          rowKey={(row) => row.id}
          columns={[
            { key: "product", label: t("Product"), render: (row) => <ProductLink id={row.product_id} name={row.name} sku={row.sku} /> },
            { key: "quantity", label: t("Quantity"), isNumber: true, render: (row) => quantity(row.quantity) },
            { key: "transit", label: t("On the way"), isNumber: true, render: (row) => quantity(row.in_transit) },
            { key: "received", label: t("Received"), isNumber: true, render: (row) => quantity(row.received) },
            { key: "damaged", label: t("Damaged"), isNumber: true, isWideOnly: true, render: (row) => quantity(row.damaged) },
          ]}
        />
      </Section>
      {transfer.status === "in_transit" ? <Receiving transfer={transfer} /> : null}
      <Section title={t("About this transfer")}>
        <Definitions items={[[t("Created"), moment(transfer.created_at)], [t("Shipped"), transfer.shipped_at ? moment(transfer.shipped_at) : null], [t("Ended"), transfer.ended_at ? moment(transfer.ended_at) : null], [t("Reference"), transfer.transfer_reference], [t("Notes"), transfer.notes]]} />
      </Section>
    </Page>
  );
}

function Receiving({ transfer }: { transfer: Transfer }) {
  const [counted, setCounted] = useState<Record<number, string>>({});
  const lines = transfer.lines.filter((line) => Number(line.in_transit) > 0);
  const receive = useWrite(
    () => send("POST", `/stock-transfers/${transfer.id}/receive`, { lines: lines.filter((line) => Number(counted[line.id] || 0) > 0).map((line) => ({ line_id: line.id, received: counted[line.id] })) }),
    { done: () => t("Received"), onDone: () => setCounted({}) },
  );
  const onScan = async (code: string): Promise<void> => {
    const product = await lookUp(code);
    const line = lines.find((one) => one.product_id === product?.id);
    if (!line) announce(t("{{code}} is not on this transfer", { code }), { isError: true });
    else setCounted((known) => ({ ...known, [line.id]: sum((known[line.id] || "0") as Exact, 1) }));
  };
  return (
    <Section title={t("Receive a part")} actions={<Text size="sm" c="dimmed">{t("Scan each piece, or enter the quantities.")}</Text>}>
      <CodeReader onCode={onScan} />
      <Group align="flex-end">
        {lines.map((line) => <DecimalInput key={line.id} w={180} label={line.sku} description={t("{{count}} on the way", { count: quantity(line.in_transit) })} value={counted[line.id] ?? ""} onChange={(value) => setCounted({ ...counted, [line.id]: value })} />)}
        <Button loading={receive.isPending} disabled={!Object.values(counted).some((value) => Number(value) > 0)} onClick={() => receive.mutate(undefined)}>{t("Receive these")}</Button>
      </Group>
    </Section>
  );
}

function CancelDialog({ transfer, onClose }: { transfer: Transfer; onClose: () => void }) {
  const [disposition, setDisposition] = useState("return");
  const isOnTheWay = transfer.status === "in_transit";
  const cancel = useWrite(() => send("POST", `/stock-transfers/${transfer.id}/cancel`, isOnTheWay ? { disposition } : {}), { showsErrors: false, done: () => t("Transfer cancelled") });
  return (
    <FormDialog title={t("Cancel transfer {{number}}", { number: transfer.number })} button={t("Cancel the transfer")} isDanger onClose={onClose} onSubmit={() => cancel.mutateAsync(undefined)}>
      {isOnTheWay ? (
        <Radio.Group label={t("What happens to the goods on the way?")} value={disposition} onChange={setDisposition}>
          <Radio mt="xs" value="return" label={t("They go back to the first warehouse")} />
          <Radio mt="xs" value="write_off" label={t("They are lost")} />
        </Radio.Group>
      ) : (
        <Text size="sm">{t("The goods are available again in the first warehouse.")}</Text>
      )}
    </FormDialog>
  );
}
