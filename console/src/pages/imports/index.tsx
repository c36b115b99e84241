/** Imports of products: choose a file, look at what would happen, import, and get the rows that failed. */
import { useState } from "react";
import { Alert, Button, FileInput, Group, Progress, Stack, Text } from "@mantine/core";
import { client, downloadUrl, type Schemas } from "../../app/api.ts";
import { integer, moment } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useRead, useWrite } from "../../app/reads.ts";
import { List } from "../../parts/list.tsx";
import { Page, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";
import { State } from "../../parts/texts.tsx";

type Preview = Schemas["ImportPreview"];
type Import = Schemas["ImportResponse"];

export default function ImportsPage() {
  return (
    <Page title={t("Imports")} lead={t("Products from CSV and XLSX files: of this system, of a spreadsheet, or the export of another shop system.")}>
      <NewImport />
      <List<Import>
        title={t("Earlier imports")}
        path="/imports"
        columns={[
          { key: "file", label: t("File"), text: (row) => row.file_name, render: (row) => row.file_name ?? "–" },
          { key: "at", label: t("When"), isWideOnly: true, text: (row) => row.created_at, render: (row) => moment(row.created_at) },
          { key: "state", label: t("State"), text: (row) => row.state, render: (row) => <State state={row.state} /> },
          { key: "created", label: t("New"), isNumber: true, text: (row) => row.created, render: (row) => integer(row.created) },
          { key: "updated", label: t("Changed"), isNumber: true, text: (row) => row.updated, render: (row) => integer(row.updated) },
          { key: "failed", label: t("Failed"), isNumber: true, text: (row) => row.failed, render: (row) => (row.failed ? <a href={downloadUrl(`/imports/${row.id}/errors`)} download>{integer(row.failed)}</a> : "0") },
        ]}
        empty={{ title: t("No imports yet"), text: t("Choose a file above. Nothing changes before you have seen what the import would do.") }}
      />
    </Page>
  );
}

async function post<Value>(file: File, query: Record<string, string>): Promise<Value> {
  const form = new FormData();
  form.set("file", file);
  const encoded = new Response(form);
  const headers = { "Content-Type": encoded.headers.get("Content-Type") as string };
  return (await client.request("POST", "/imports", { query, body: await encoded.arrayBuffer(), headers, timeoutSeconds: 120 })) as Value;
}

function NewImport() {
  const [file, setFile] = useState<File | null>(null);
  const [runningId, setRunningId] = useState<number>();
  const preview = useWrite((chosen: File) => post<Preview>(chosen, { preview: "true" }), {});
  const start = useWrite((chosen: File) => post<Import>(chosen, {}), { onDone: (job) => setRunningId(job.id) });
  const choose = (chosen: File | null): void => {
    setFile(chosen);
    setRunningId(undefined);
    preview.reset();
    if (chosen) preview.mutate(chosen);
  };
  return (
    <Section title={t("New import")}>
      <Stack>
        <FileInput label={t("File")} placeholder={t("Choose a CSV or XLSX file")} accept=".csv,.xlsx,text/csv" value={file} onChange={choose} maw={420} />
        {preview.isPending ? <Text c="dimmed">{t("Reading the file…")}</Text> : null}
        {preview.data && file && !runningId ? <Shown preview={preview.data} isBusy={start.isPending} onStart={() => start.mutate(file)} /> : null}
        {runningId ? <Running id={runningId} /> : null}
      </Stack>
    </Section>
  );
}

function Shown({ preview, isBusy, onStart }: { preview: Preview; isBusy: boolean; onStart: () => void }) {
  const columns = preview.mapping.filter(({ field }) => field).map(({ field }) => field as string);
  return (
    <Stack gap="sm">
      <Text>{t("{{created}} new, {{updated}} changed, {{unchanged}} the same, {{failed}} with problems", { created: integer(preview.created), updated: integer(preview.updated), unchanged: integer(preview.unchanged), failed: integer(preview.failed) })}</Text>
      {preview.ignored_columns.length ? <Text size="sm" c="dimmed">{t("Columns that are not used: {{columns}}", { columns: preview.ignored_columns.join(", ") })}</Text> : null}
      <DataTable
        isCompact
        label={t("The first rows of the file")}
        rows={preview.rows.slice(0, 20)}
        rowKey={(row) => row.row}
        columns={[
          { key: "row", label: t("Row"), isNumber: true, render: (row) => row.row },
          ...columns.slice(0, 6).map((name) => ({ key: name, label: name.replaceAll("_", " "), render: (row: Preview["rows"][number]) => <div className="clip">{String((row.product as Record<string, unknown>)[name] ?? "")}</div> })),
          { key: "problem", label: t("Problem"), render: (row) => (row.problem ? <span className="bad">{row.problem}</span> : "") },
        ]}
      />
      <Group><Button loading={isBusy} disabled={preview.created + preview.updated === 0} onClick={onStart}>{t("Import")}</Button></Group>
    </Stack>
  );
}

function Running({ id }: { id: number }) {
  const read = useRead<Import>(`/imports/${id}`, {}, { staleMs: 0 });
  const job = read.data;
  const isRunning = job === undefined || job.state === "queued" || job.state === "running";
  if (isRunning) setTimeout(() => void read.refetch(), 700);
  if (!job) return null;
  if (isRunning) return <div role="status"><Text size="sm">{t("{{done}} of {{total}} rows", { done: integer(job.done), total: integer(job.total ?? 0) })}</Text><Progress value={job.total ? (100 * job.done) / job.total : 5} aria-label={t("Import")} /></div>;
  const color = job.state === "failed" || job.failed ? "red" : "teal";
  return (
    <Alert color={color} variant="outline" role="status" title={job.state === "failed" ? t("The import failed") : t("Imported")}>
      {job.problem ?? t("{{created}} new, {{updated}} changed, {{failed}} failed", { created: integer(job.created), updated: integer(job.updated), failed: integer(job.failed) })}{" "}
      {job.failed ? <a href={downloadUrl(`/imports/${id}/errors`)} download>{t("Save the rows that failed, with the reasons")}</a> : null}
    </Alert>
  );
}

