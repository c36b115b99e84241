/** Always listening: a scan shows the product and its stock, or does at once what is chosen. */
import { type FormEvent, useState } from "react";
import { Button, Group, Paper, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../app/api.ts";
import { money, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useRead, useWarehouses } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { useTillProducts } from "../../offline/till-products.ts";
import { CodeReader } from "../../scanning/code-reader.tsx";
import { type Command, dismissFinished, enqueue, useQueueState } from "../../scanning/queue.ts";
import { lookUp, WarehouseSelect } from "../../parts/inputs.tsx";
import { DataTable } from "../../parts/table.tsx";
import { EmptyState, Loaded, Page, Section } from "../../parts/page.tsx";

type Action = "look" | "in" | "out" | "sale";
const MAX_SHOWN = 20;

export default function ScanPage() {
  useTillProducts();
  const user = useUser();
  const { standard } = useWarehouses();
  const [action, setAction] = useState<Action>("look");
  const [warehouse, setWarehouse] = useState("");
  const [productId, setProductId] = useState<number>();
  const [unknown, setUnknown] = useState("");
  const warehouseId = Number(warehouse || standard?.id);
  const onScan = async (code: string): Promise<void> => {
    if (action !== "look") {
      await enqueue({ userId: user.id, ...commandFor(action, code, warehouseId), label: code });
      return;
    }
    const found = await lookUp(code).catch(() => undefined);
    setUnknown(found ? "" : code);
    setProductId(found?.id);
  };

  return (
    <Page title={t("Scan")} lead={t("Scan a barcode: the page listens all the time.")}>
      <Paper>
        <Stack gap="sm">
          <SegmentedControl
            fullWidth
            aria-label={t("What a scan does")}
            value={action}
            onChange={(value) => setAction(value as Action)}
            data={[
              { value: "look", label: t("Look up") },
              { value: "in", label: t("Receive 1") },
              { value: "out", label: t("Take out 1") },
              { value: "sale", label: t("Sell 1") },
            ]}
          />
          <Group align="flex-end">
            {action === "look" ? null : <WarehouseSelect value={String(warehouseId || "")} onChange={setWarehouse} />}
            <ManualCode onSubmit={(code) => void onScan(code)} />
          </Group>
          <CodeReader onCode={onScan} />
        </Stack>
      </Paper>
      {unknown ? <UnknownCode code={unknown} /> : null}
      {action === "look" && productId ? <Found productId={productId} /> : null}
      {action === "look" && !productId && !unknown ? <EmptyState title={t("Ready to scan")} text={t("Look up shows the price and the stock. The other choices post each scan at once; a scan without a network waits and arrives once.")} /> : null}
      {action === "look" ? null : <Queue />}
    </Page>
  );
}

/** A product by its code; the server finds it by SKU, so barcodes are resolved when the command is sent. */
function commandFor(action: Exclude<Action, "look">, code: string, warehouseId: number): Pick<Command, "method" | "path" | "body"> {
  const product = { code };
  if (action === "sale") return { method: "POST", path: "/sales", body: { warehouse_id: warehouseId, lines: [{ ...product, quantity: 1 }] } };
  return { method: "POST", path: "/stock-movements", body: { ...product, warehouse_id: warehouseId, movement_type: action, quantity: 1 } };
}

function ManualCode({ onSubmit }: { onSubmit: (code: string) => void }) {
  const [code, setCode] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (code.trim()) onSubmit(code.trim());
    setCode("");
  };
  return (
    <form onSubmit={submit}>
      <Group align="flex-end" gap="xs" wrap="nowrap">
        <TextInput label={t("Without a scanner")} placeholder={t("Barcode or SKU")} value={code} onChange={(event) => setCode(event.currentTarget.value)} />
        <Button type="submit" variant="default">{t("Go")}</Button>
      </Group>
    </form>
  );
}

function UnknownCode({ code }: { code: string }) {
  return (
    <Paper role="alert">
      <Text fw={600} className="bad">{t("No product has the code {{code}}", { code })}</Text>
      <Text size="sm" c="dimmed">{t("Add the barcode to a product, or create one.")}</Text>
      <Group mt="xs"><Button size="xs" component={Link} to="/products/new">{t("New product")}</Button></Group>
    </Paper>
  );
}

function Found({ productId }: { productId: number }) {
  const product = useRead<Schemas["ProductResponse"]>(`/products/${productId}`);
  return (
    <Loaded read={product}>
      {(shown) => (
        <Section title={shown.name} actions={<Button size="xs" variant="default" component={Link} to={`/products/${shown.id}`}>{t("Open the product")}</Button>}>
          <Group justify="space-between" mb="sm">
            <div><Text c="dimmed" size="sm">{shown.sku}</Text><div className="big-number">{money(shown.unit_price)}</div></div>
            <div style={{ textAlign: "right" }}><Text c="dimmed" size="sm">{t("Available")}</Text><div className={`big-number ${Number(shown.available) > 0 ? "" : "bad"}`}>{quantity(shown.available)}</div></div>
          </Group>
          <DataTable isCompact label={t("Stock by warehouse")} rows={shown.stock} rowKey={(row) => row.warehouse_id} columns={[
            { key: "w", label: t("Warehouse"), render: (row) => row.warehouse },
            { key: "h", label: t("On hand"), isNumber: true, render: (row) => quantity(row.on_hand) },
            { key: "a", label: t("Available"), isNumber: true, render: (row) => quantity(row.available) },
          ]} />
        </Section>
      )}
    </Loaded>
  );
}

function Queue() {
  const commands = useQueueState();
  const waiting = commands.filter(({ state }) => state === "waiting").length;
  if (commands.length === 0) return <Text c="dimmed">{t("Every scan is posted at once, and counted here.")}</Text>;
  const shown = commands.slice(-MAX_SHOWN).reverse();
  return (
    <Section title={waiting ? t("{{count}} being posted", { count: waiting }) : t("All posted")} actions={<Button size="xs" variant="subtle" onClick={() => void dismissFinished()}>{t("Clear")}</Button>}>
      <div aria-live="polite">
        {shown.map((command) => (
          <div key={command.key} className="scan-result" data-state={command.state}>
            <span className="strong">{command.label}</span>
            <span className={command.state === "rejected" ? "bad" : command.state === "done" ? "good" : "dim"}>{describe(command)}</span>
          </div>
        ))}
      </div>
    </Section>
  );
}

function describe(command: Command): string {
  if (command.state === "waiting") return t("posting…");
  if (command.state === "rejected") return command.message ?? "";
  const result = command.result as { balance?: string; number?: string; total?: string };
  return result.number ? t("sale {{number}}, {{total}}", { number: result.number, total: money(result.total) }) : t("balance {{balance}}", { balance: quantity(result.balance) });
}

