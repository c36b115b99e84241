/** One count: one product at a time, by scan or in order, optionally without showing what is expected. Each counted
 * quantity is queued in the browser, so that it arrives also without a network. */
import { type FormEvent, useRef, useState } from "react";
import { Button, Group, Paper, Stack, Switch, Text } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { type Exact, sum, times } from "@stockbuddy/client";
import { send, type Schemas } from "../../app/api.ts";
import { integer, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { announce, useRead, useWarehouses, useWrite } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { ConfirmButton, DialogButton, FormDialog } from "../../parts/dialog.tsx";
import { DecimalInput, lookUp } from "../../parts/inputs.tsx";
import { Loaded, Page, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";
import { ProductLink, Signed, State } from "../../parts/texts.tsx";
import { CodeReader } from "../../scanning/code-reader.tsx";
import { enqueue, useQueueState } from "../../scanning/queue.ts";

type Count = Schemas["StockCountResponse"];
type CountLine = Count["lines"][number];
const MAX_ROWS = 200;

/** What was posted; before the approval, what was counted less what was expected when the count began. */
function differenceOf(line: CountLine, counted: string): string {
  return String(line.difference ?? sum(counted as Exact, times(line.expected as Exact, -1)));
}

export default function CountPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  return <Loaded read={useRead<Count>(`/stock-counts/${id}`)}>{(count) => <Detail count={count} />}</Loaded>;
}

function Detail({ count }: { count: Count }) {
  const { nameOf } = useWarehouses();
  const isOpen = count.status === "open";
  const counted = useCounted(count);
  const done = count.lines.filter((line) => counted.get(line.id) !== undefined).length;
  return (
    <Page
      title={t("Count {{number}}", { number: count.number })}
      lead={<>{nameOf(count.warehouse_id)} · <State state={count.status} /> · {t("{{done}} of {{all}} counted", { done: integer(done), all: integer(count.lines.length) })}</>}
      actions={isOpen ? <><DialogButton label={t("Approve")} isDisabled={done === 0}>{(close) => <Approve count={count} onClose={close} />}</DialogButton><CancelButton count={count} /></> : null}
    >
      {isOpen ? <Counter count={count} counted={counted} /> : null}
      <Differences count={count} counted={counted} />
    </Page>
  );
}

/** What was counted, with what is still on its way to the server. */
function useCounted(count: Count): Map<number, string> {
  const path = `/stock-counts/${count.id}/lines`;
  const commands = useQueueState();
  const counted = new Map<number, string>();
  for (const line of count.lines) if (line.counted !== null && line.counted !== undefined) counted.set(line.id, String(line.counted));
  for (const command of commands) {
    if (command.path !== path || command.state === "rejected") continue;
    for (const line of (command.body as { lines: { product_id: number; counted: string }[] }).lines) {
      const id = count.lines.find((one) => one.product_id === line.product_id)?.id;
      // One that has arrived counts until the count is read again, so that nothing flickers meanwhile.
      if (id !== undefined && (command.state === "waiting" || !counted.has(id))) counted.set(id, line.counted);
    }
  }
  return counted;
}

function Counter({ count, counted }: { count: Count; counted: Map<number, string> }) {
  const user = useUser();
  const [isBlind, setBlind] = useState(true);
  const [chosen, setChosen] = useState<number>();
  const [value, setValue] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const line = count.lines.find((one) => one.id === chosen) ?? count.lines.find((one) => !counted.has(one.id));
  const onScan = async (code: string): Promise<void> => {
    const known = count.lines.find((one) => one.sku.toLowerCase() === code.toLowerCase());
    const productId = known?.product_id ?? (await lookUp(code).catch(() => undefined))?.id;
    const found = count.lines.find((one) => one.product_id === productId);
    if (!found) return announce(t("{{code}} is not part of this count", { code }), { isError: true });
    setChosen(found.id);
    setValue("");
    input.current?.focus();
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!line || value === "") return;
    const body = { lines: [{ product_id: line.product_id, counted: value, counted_at: new Date().toISOString() }] };
    await enqueue({ userId: user.id, method: "POST", path: `/stock-counts/${count.id}/lines`, body, label: t("{{sku}} counted", { sku: line.sku }) });
    setChosen(undefined);
    setValue("");
    input.current?.focus();
  };
  if (!line) return <Paper><Text>{t("Everything is counted. Look at the differences, then approve.")}</Text></Paper>;
  return (
    <Paper>
      <form onSubmit={(event) => void submit(event)}>
        <Stack gap="sm">
          <Group justify="space-between" align="flex-start">
            <div><Text fw={650} size="lg">{line.name}</Text><Text c="dimmed">{line.sku}</Text></div>
            <Switch label={t("Hide what is expected")} checked={isBlind} onChange={(event) => setBlind(event.currentTarget.checked)} />
          </Group>
          {isBlind ? null : <Text>{t("Expected: {{count}}", { count: quantity(line.expected) })}</Text>}
          <Group align="flex-end">
            <DecimalInput ref={input} size="lg" w={180} label={t("Counted")} autoFocus value={value} onChange={setValue} />
            <Button size="lg" type="submit" disabled={value === ""}>{t("Next")}</Button>
          </Group>
          <Text size="sm" c="dimmed">{t("Scan a product to count it next.")}</Text>
          <CodeReader onCode={onScan} />
        </Stack>
      </form>
    </Paper>
  );
}

function Differences({ count, counted }: { count: Count; counted: Map<number, string> }) {
  const rows = count.lines.filter((line) => counted.has(line.id)).slice(0, MAX_ROWS);
  if (rows.length === 0) return null;
  return (
    <Section title={t("Counted so far")}>
      <DataTable<CountLine>
        isCompact
        label={t("Counted products")}
        rows={rows}
        rowKey={(row) => row.id}
        columns={[
          { key: "product", label: t("Product"), render: (row) => <ProductLink id={row.product_id} name={row.name} sku={row.sku} /> },
          { key: "expected", label: t("Expected"), isNumber: true, isWideOnly: true, render: (row) => quantity(row.expected) },
          { key: "counted", label: t("Counted"), isNumber: true, render: (row) => quantity(counted.get(row.id)) },
          { key: "difference", label: t("Difference"), isNumber: true, render: (row) => <Signed value={differenceOf(row, counted.get(row.id) as string)} /> },
        ]}
      />
    </Section>
  );
}

function Approve({ count, onClose }: { count: Count; onClose: () => void }) {
  const different = count.lines.filter((line) => line.counted !== null && line.counted !== undefined && Number(differenceOf(line, String(line.counted))) !== 0).length;
  const approve = useWrite(() => send("POST", `/stock-counts/${count.id}/approve`, {}), { showsErrors: false, done: () => t("Count approved; the differences are posted") });
  return (
    <FormDialog title={t("Approve count {{number}}", { number: count.number })} button={t("Post the differences")} onClose={onClose} onSubmit={() => approve.mutateAsync(undefined)}>
      <Text size="sm">{t("{{count}} products differ. Their stock is corrected; what was sold since the counting is respected. Products without a counted quantity stay as they are.", { count: different })}</Text>
    </FormDialog>
  );
}

function CancelButton({ count }: { count: Count }) {
  const cancel = useWrite(() => send("POST", `/stock-counts/${count.id}/cancel`, {}), { showsErrors: false, done: () => t("Count cancelled") });
  return <ConfirmButton variant="default" label={t("Cancel the count")} title={t("Cancel count {{number}}?", { number: count.number })} text={t("What was counted is not posted, and the count can't be continued.")} onConfirm={() => cancel.mutateAsync(undefined)} />;
}
