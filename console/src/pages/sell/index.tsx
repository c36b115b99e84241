/** A till: scan or search, take the money, next. Without a network sales wait in the browser and arrive once. */
import { useState } from "react";
import { Alert, Button, Group, NativeSelect, Paper, Stack, Text } from "@mantine/core";
import { compare, type Exact, sum } from "@stockbuddy/client";
import { money, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useWarehouses } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { CustomerPicker, DecimalInput, lookUp, WarehouseSelect } from "../../parts/inputs.tsx";
import { paymentOptions } from "../../parts/words.ts";
import { addLine, areComplete, type Line, lineOf, LinesEditor, totalOf } from "../../parts/lines.tsx";
import { Page, Section } from "../../parts/page.tsx";
import { useTillProducts } from "../../offline/till-products.ts";
import { CodeReader } from "../../scanning/code-reader.tsx";
import { type Command, dismissFinished, enqueue, useQueueState } from "../../scanning/queue.ts";

export default function SellPage() {
  useTillProducts();
  const user = useUser();
  const { standard, items } = useWarehouses();
  const [lines, setLines] = useState<Line[]>([]);
  const [customer, setCustomer] = useState<{ id: number; name: string }>();
  const [method, setMethod] = useState("cash");
  const [given, setGiven] = useState("");
  const [warehouse, setWarehouse] = useState("");
  const [problem, setProblem] = useState("");
  const warehouseId = Number(warehouse || standard?.id);
  const total = totalOf(lines);
  const onScan = async (code: string): Promise<void> => {
    const product = await lookUp(code);
    setProblem(product ? "" : t("No product has the code {{code}}", { code }));
    if (product) setLines((known) => addLine(known, lineOf(product, String(product.unit_price))));
  };
  const sell = async (): Promise<void> => {
    const body = {
      warehouse_id: warehouseId,
      payment_method: method,
      occurred_at: new Date().toISOString(),
      ...(customer ? { customer_id: customer.id } : {}),
      lines: lines.map((line) => ({ product_id: line.productId, quantity: line.quantity, unit_price: line.price })),
    };
    await enqueue({ userId: user.id, method: "POST", path: "/sales", body, label: t("Sale of {{total}}", { total: money(total) }) });
    setLines([]);
    setCustomer(undefined);
    setGiven("");
    setProblem("");
  };
  const change = given ? sum(given as Exact, `-${total}` as Exact) : undefined;
  return (
    <Page title={t("Sell")}>
      {problem ? <Alert color="red" variant="outline" role="alert" withCloseButton closeButtonLabel={t("Close")} onClose={() => setProblem("")}>{problem}</Alert> : null}
      <div className="columns">
        <Paper>
          <LinesEditor lines={lines} onChange={setLines} priceLabel={t("Price")} priceOf={(product) => String(product.unit_price)} checksStock autoFocus />
          <CodeReader onCode={onScan} />
        </Paper>
        <Stack>
          <Paper>
            <Stack gap="sm">
              <Group justify="space-between" align="baseline"><Text c="dimmed">{t("To pay")}</Text><span className="big-number">{money(total)}</span></Group>
              <Group grow align="flex-start">
                <NativeSelect label={t("Payment")} value={method} onChange={(event) => setMethod(event.currentTarget.value)} data={paymentOptions} />
                {method === "cash" ? <DecimalInput label={t("Given")} value={given} onChange={setGiven} /> : null}
              </Group>
              {method === "cash" && change !== undefined && compare(change, 0) >= 0 ? <Group justify="space-between"><Text c="dimmed">{t("Change to give")}</Text><span className="strong">{money(change)}</span></Group> : null}
              <CustomerPicker shown={customer?.name ?? ""} onPick={(one) => setCustomer({ id: one.id, name: one.name })} />
              {items.length > 1 ? <WarehouseSelect label={t("Shop")} value={String(warehouseId || "")} onChange={setWarehouse} /> : null}
              <Button size="lg" disabled={!areComplete(lines) || !warehouseId} onClick={() => void sell()}>{t("Take {{total}}", { total: money(total) })}</Button>
            </Stack>
          </Paper>
          <LastSales />
        </Stack>
      </div>
    </Page>
  );
}

function LastSales() {
  const sales = useQueueState().filter(({ path }) => path === "/sales");
  if (sales.length === 0) return null;
  return (
    <Section title={t("At this till")} actions={<Button size="xs" variant="subtle" onClick={() => void dismissFinished()}>{t("Clear")}</Button>}>
      <div aria-live="polite">
        {sales.slice(-8).reverse().map((command) => (
          <div key={command.key} className="scan-result" data-state={command.state}>
            <span>{command.label}</span>
            <span className={command.state === "rejected" ? "bad" : command.state === "done" ? "good" : "warn"}>{describe(command)}</span>
          </div>
        ))}
      </div>
    </Section>
  );
}

function describe(command: Command): string {
  if (command.state === "waiting") return t("waiting for the connection…");
  if (command.state === "rejected") return command.message ?? "";
  const sale = command.result as { number: string; lines: { quantity: string }[] };
  return t("No. {{number}}, {{count}} pieces", { number: sale.number, count: quantity(sum("0", ...sale.lines.map((line) => line.quantity as Exact))) });
}
