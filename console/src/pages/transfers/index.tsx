/** Transfers between warehouses. */
import { useState } from "react";
import { TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { send, type Schemas } from "../../app/api.ts";
import { moment, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useWarehouses, useWrite } from "../../app/reads.ts";
import { DialogButton, FormDialog } from "../../parts/dialog.tsx";
import { WarehouseSelect } from "../../parts/inputs.tsx";
import { areComplete, type Line, LinesEditor } from "../../parts/lines.tsx";
import { ListPage } from "../../parts/list.tsx";
import { State } from "../../parts/texts.tsx";
import { stateOptions } from "../../parts/words.ts";

type Transfer = Schemas["TransferResponse"];

export default function TransfersPage() {
  const warehouses = useWarehouses();
  const create = <DialogButton label={t("New transfer")} isDisabled={warehouses.items.length < 2}>{(close) => <NewTransfer onClose={close} />}</DialogButton>;
  return (
    <ListPage<Transfer>
      title={t("Transfers")}
      path="/stock-transfers"
      actions={create}
      filters={[
        { kind: "select", name: "status", label: t("State"), options: stateOptions("pending", "in_transit", "completed", "cancelled") },
        { kind: "warehouse", name: "from_warehouse_id", label: t("From") },
        { kind: "warehouse", name: "to_warehouse_id", label: t("To") },
      ]}
      columns={[
        { key: "number", label: t("Number"), text: (row) => row.number, render: (row) => <Link to={`/transfers/${row.id}`} className="nowrap">{row.number}</Link> },
        { key: "from", label: t("From"), text: (row) => warehouses.nameOf(row.from_warehouse_id), render: (row) => warehouses.nameOf(row.from_warehouse_id) },
        { key: "to", label: t("To"), text: (row) => warehouses.nameOf(row.to_warehouse_id), render: (row) => warehouses.nameOf(row.to_warehouse_id) },
        { key: "what", label: t("Goods"), isWideOnly: true, text: (row) => row.lines.length, render: (row) => <div className="clip">{row.lines.map((line) => `${quantity(line.quantity)} × ${line.sku}`).join(", ")}</div> },
        { key: "created", label: t("Created"), isWideOnly: true, text: (row) => row.created_at, render: (row) => <span className="nowrap">{moment(row.created_at)}</span> },
        { key: "state", label: t("State"), text: (row) => row.status, render: (row) => <State state={row.status} /> },
      ]}
      empty={{
        title: t("No transfers yet"),
        text: warehouses.items.length < 2 ? t("A transfer needs two warehouses: add the second one first.") : t("Move goods from one warehouse to another: they stay counted while they are on the way."),
        action: warehouses.items.length < 2 ? <Link to="/warehouses">{t("Warehouses")}</Link> : create,
      }}
    />
  );
}

function NewTransfer({ onClose }: { onClose: () => void }) {
  const { standard, items } = useWarehouses();
  const navigate = useNavigate();
  const [from, setFrom] = useState(String(standard?.id ?? ""));
  const [to, setTo] = useState(String(items.find((one) => one.id !== standard?.id)?.id ?? ""));
  const [lines, setLines] = useState<Line[]>([]);
  const [reference, setReference] = useState("");
  const create = useWrite(
    () => send<Transfer>("POST", "/stock-transfers", { from_warehouse_id: Number(from), to_warehouse_id: Number(to), transfer_reference: reference || null, lines: lines.map((line) => ({ product_id: line.productId, quantity: line.quantity })) }),
    { showsErrors: false, onDone: (transfer) => void navigate({ to: `/transfers/${transfer.id}` }) },
  );
  return (
    <FormDialog size="lg" title={t("New transfer")} button={t("Create the transfer")} isDisabled={!areComplete(lines) || !from || !to || from === to} onClose={onClose} onSubmit={() => create.mutateAsync(undefined)}>
      <WarehouseSelect label={t("From")} value={from} onChange={setFrom} />
      <WarehouseSelect label={t("To")} value={to} onChange={setTo} except={from} />
      <LinesEditor lines={lines} onChange={setLines} />
      <TextInput label={t("Reference")} value={reference} onChange={(event) => setReference(event.currentTarget.value)} />
    </FormDialog>
  );
}
