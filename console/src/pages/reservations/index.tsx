/** Goods held for customers, until they are sold, released or the time is over. */
import { useState } from "react";
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { send, type Schemas } from "../../app/api.ts";
import { ago, moment, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useWarehouses, useWrite } from "../../app/reads.ts";
import { DialogButton, FormDialog } from "../../parts/dialog.tsx";
import { WarehouseSelect } from "../../parts/inputs.tsx";
import { areComplete, type Line, LinesEditor } from "../../parts/lines.tsx";
import { ListPage } from "../../parts/list.tsx";
import { State } from "../../parts/texts.tsx";
import { stateOptions } from "../../parts/words.ts";

type Reservation = Schemas["ReservationResponse"];
const DURATIONS = [
  { value: "3600", label: t("1 hour") },
  { value: "86400", label: t("1 day") },
  { value: "259200", label: t("3 days") },
];

export default function ReservationsPage() {
  const create = <DialogButton label={t("Reserve goods")}>{(close) => <NewReservation onClose={close} />}</DialogButton>;
  return (
    <ListPage<Reservation>
      title={t("Reservations")}
      path="/reservations"
      actions={create}
      filters={[{ kind: "select", name: "status", label: t("State"), options: stateOptions("held", "released", "committed", "expired") }, { kind: "warehouse", name: "warehouse_id" }]}
      columns={[
        { key: "id", label: t("No."), text: (row) => row.id, render: (row) => row.id },
        { key: "goods", label: t("Goods"), text: (row) => row.lines.map((line) => line.sku).join(" "), render: (row) => <div className="clip">{row.lines.map((line) => `${quantity(line.quantity)} × ${line.name}`).join(", ")}</div> },
        { key: "for", label: t("For"), text: (row) => row.external_ref ?? row.notes, render: (row) => row.external_ref ?? row.notes ?? "" },
        { key: "until", label: t("Until"), isWideOnly: true, text: (row) => row.expires_at, render: (row) => <span title={moment(row.expires_at)}>{row.status === "held" ? ago(row.expires_at) : moment(row.expires_at)}</span> },
        { key: "state", label: t("State"), text: (row) => row.status, render: (row) => <State state={row.status} /> },
        { key: "actions", label: t("Actions"), isAction: true, render: (row) => (row.status === "held" ? <Actions reservation={row} /> : "") },
      ]}
      empty={{ title: t("Nothing is reserved"), text: t("Hold goods for a customer: no other sale can take them until the time is over."), action: create }}
    />
  );
}

function Actions({ reservation }: { reservation: Reservation }) {
  const act = useWrite(({ action, body }: { action: string; body: object }) => send("POST", `/reservations/${reservation.id}/${action}`, body), { done: () => t("Reservation {{id}} changed", { id: reservation.id }) });
  return (
    <span className="nowrap">
      <Button size="compact-xs" variant="default" loading={act.isPending} onClick={() => act.mutate({ action: "commit", body: { as: "sale" } })}>{t("Sell")}</Button>{" "}
      <Button size="compact-xs" variant="subtle" loading={act.isPending} onClick={() => act.mutate({ action: "release", body: {} })}>{t("Release")}</Button>
    </span>
  );
}

function NewReservation({ onClose }: { onClose: () => void }) {
  const { standard } = useWarehouses();
  const [lines, setLines] = useState<Line[]>([]);
  const [warehouse, setWarehouse] = useState("");
  const [duration, setDuration] = useState("86400");
  const [reference, setReference] = useState("");
  const warehouseId = Number(warehouse || standard?.id);
  const create = useWrite(
    () => send<Reservation>("POST", "/reservations", { expires_in: Number(duration), external_ref: reference || null, lines: lines.map((line) => ({ product_id: line.productId, quantity: line.quantity, warehouse_id: warehouseId })) }),
    { showsErrors: false, done: (held) => t("Held until {{time}}", { time: moment(held.expires_at) }) },
  );
  return (
    <FormDialog size="lg" title={t("Reserve goods")} button={t("Reserve")} isDisabled={!areComplete(lines)} onClose={onClose} onSubmit={() => create.mutateAsync(undefined)}>
      <LinesEditor lines={lines} onChange={setLines} checksStock />
      <WarehouseSelect value={String(warehouseId || "")} onChange={setWarehouse} />
      <NativeSelect label={t("For how long")} value={duration} data={DURATIONS} onChange={(event) => setDuration(event.currentTarget.value)} />
      <TextInput label={t("For")} description={t("A name or an order number")} value={reference} onChange={(event) => setReference(event.currentTarget.value)} />
    </FormDialog>
  );
}
