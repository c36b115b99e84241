/** Counting sessions. */
import { useState } from "react";
import { NativeSelect, Text } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { send, type Schemas } from "../../app/api.ts";
import { integer, moment } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useRead, useWarehouses, useWrite } from "../../app/reads.ts";
import { DialogButton, FormDialog } from "../../parts/dialog.tsx";
import { WarehouseSelect } from "../../parts/inputs.tsx";
import { ListPage } from "../../parts/list.tsx";
import { State } from "../../parts/texts.tsx";
import { stateOptions } from "../../parts/words.ts";

type Count = Schemas["StockCountResponse"];

export default function CountsPage() {
  const { nameOf } = useWarehouses();
  const create = <DialogButton label={t("Start a count")}>{(close) => <NewCount onClose={close} />}</DialogButton>;
  return (
    <ListPage<Count>
      title={t("Counts")}
      path="/stock-counts"
      actions={create}
      filters={[{ kind: "select", name: "status", label: t("State"), options: stateOptions("open", "approved", "cancelled") }, { kind: "warehouse", name: "warehouse_id" }]}
      columns={[
        { key: "number", label: t("Number"), text: (row) => row.number, render: (row) => <Link to={`/counts/${row.id}`} className="nowrap">{row.number}</Link> },
        { key: "warehouse", label: t("Warehouse"), text: (row) => nameOf(row.warehouse_id), render: (row) => nameOf(row.warehouse_id) },
        { key: "progress", label: t("Counted"), isNumber: true, text: (row) => row.lines.filter((line) => line.counted !== null).length, render: (row) => t("{{done}} of {{all}}", { done: integer(row.lines.filter((line) => line.counted !== null).length), all: integer(row.lines.length) }) },
        { key: "at", label: t("Started"), isWideOnly: true, text: (row) => row.created_at, render: (row) => moment(row.created_at) },
        { key: "state", label: t("State"), text: (row) => row.status, render: (row) => <State state={row.status} /> },
      ]}
      empty={{ title: t("Nothing was counted yet"), text: t("A count freezes what should be there, takes what is there, and posts the differences when you approve it. Sales may go on meanwhile."), action: create }}
    />
  );
}

function NewCount({ onClose }: { onClose: () => void }) {
  const { standard } = useWarehouses();
  const navigate = useNavigate();
  const [warehouse, setWarehouse] = useState("");
  const [category, setCategory] = useState("");
  const warehouseId = Number(warehouse || standard?.id);
  const categories = useRead<{ items: { name: string }[] }>("/categories", { page_size: 100 }).data?.items ?? [];
  const create = useWrite(() => send<Count>("POST", "/stock-counts", { warehouse_id: warehouseId, ...(category ? { category } : {}) }), {
    showsErrors: false,
    onDone: (count) => void navigate({ to: `/counts/${count.id}` }),
  });
  return (
    <FormDialog title={t("Start a count")} button={t("Start")} isDisabled={!warehouseId} onClose={onClose} onSubmit={() => create.mutateAsync(undefined)}>
      <WarehouseSelect value={String(warehouseId || "")} onChange={setWarehouse} />
      <NativeSelect label={t("Category")} value={category} data={[{ value: "", label: t("All products") }, ...categories.map(({ name }) => name)]} onChange={(event) => setCategory(event.currentTarget.value)} />
      <Text size="sm" c="dimmed">{t("What the system expects now is written down, and compared with what you count.")}</Text>
    </FormDialog>
  );
}
