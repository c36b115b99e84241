/** The reports: a chart where a series is worth looking at, the table, and the files. */
import { lazy, Suspense, useMemo } from "react";
import { Button, NativeSelect, Text, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { downloadUrl, read as readOf, type Schemas } from "../../app/api.ts";
import { companyTimezone, day, moment, money, quantity, today } from "../../app/format.ts";
import { t, translated } from "../../app/i18n.ts";
import { useSearchState } from "../../app/location.ts";
import { useRead, useWarehouses, useWrite } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { EmptyState, Loaded, Loading, Page, Section } from "../../parts/page.tsx";
import { groupOptions, reportKind, reportKindsFor } from "../../parts/report-kinds.ts";
import { type Column, DataTable } from "../../parts/table.tsx";
import { movementLabel, stateLabel } from "../../parts/words.ts";

const Chart = lazy(() => import("../../parts/chart.tsx").then(({ Chart }) => ({ default: Chart })));
const DAYS = 30;
const MAX_ROWS = 200;

type Report = Schemas["ReportResponse"];
type Row = Record<string, unknown>;

export default function ReportsPage() {
  const user = useUser();
  const warehouses = useWarehouses();
  const [search, change] = useSearchState();
  const kinds = reportKindsFor(user);
  const kind = reportKind(kinds, search.report);
  const query: Record<string, string> = {};
  if (kind.hasPeriod) {
    query.from = search.from || today(-DAYS);
    if (search.to) query.to = search.to;
  }
  if (kind.groups) query.group_by = kind.groups.includes(search.group_by ?? "") ? (search.group_by as string) : (kind.groups[0] as string);
  if (search.warehouse_id) query.warehouse_id = search.warehouse_id;
  const read = useRead<Report>(`/reports/${kind.value}`, query);
  const file = (format: string): string => downloadUrl(`/reports/${kind.value}`, { ...query, format });
  const produce = useWrite(() => readOf(`/reports/${kind.value}`, { ...query, format: "xlsx" }, { headers: { Prefer: "respond-async" } }), { done: () => t("The report is being produced. The background jobs show when it is ready.") });
  return (
    <Page
      title={t("Reports")}
      lead={kind.purpose}
      actions={
        <>
          <Button variant="default" component="a" href={file("csv")} download>CSV</Button>
          <Button variant="default" component="a" href={file("xlsx")} download>XLSX</Button>
          <Button variant="default" loading={produce.isPending} onClick={() => produce.mutate(undefined)}>{t("In the background")}</Button>
          <Button variant="default" onClick={() => print()}>{t("Print")}</Button>
          <Button variant="default" component={Link} to="/jobs">{t("Background jobs")}</Button>
          <Button variant="default" component={Link} to="/report-schedules">{t("Scheduled reports")}</Button>
        </>
      }
    >
      <div className="filters no-print">
        <NativeSelect label={t("Report")} value={kind.value} data={kinds.map(({ value, label }) => ({ value, label }))} onChange={(event) => change({ report: event.currentTarget.value, group_by: "" }, { replace: false })} />
        {kind.groups ? <NativeSelect label={t("By")} value={query.group_by ?? ""} data={groupOptions(kind.groups)} onChange={(event) => change({ group_by: event.currentTarget.value })} /> : null}
        {kind.hasPeriod ? <TextInput type="date" label={t("From")} value={query.from ?? ""} onChange={(event) => change({ from: event.currentTarget.value })} /> : null}
        {kind.hasPeriod ? <TextInput type="date" label={t("Before")} value={search.to ?? ""} onChange={(event) => change({ to: event.currentTarget.value })} /> : null}
        {warehouses.items.length > 1 ? <NativeSelect label={t("Warehouse")} value={search.warehouse_id ?? ""} data={[{ value: "", label: t("All") }, ...warehouses.items.map((one) => ({ value: String(one.id), label: one.name }))]} onChange={(event) => change({ warehouse_id: event.currentTarget.value })} /> : null}
        {kind.hasPeriod ? <Text size="xs" c="dimmed" pb={8}>{companyTimezone()}</Text> : null}
      </div>
      <Loaded read={read}>{(report) => (hasFigures(report as never) ? <Shown report={report as never} title={kind.label} /> : <EmptyState title={t("Nothing to report")} text={kind.hasPeriod ? t("Nothing happened in this period. Choose an earlier first day.") : t("There is no stock that this report could show.")} />)}</Loaded>
    </Page>
  );
}

/** A period in which nothing happened has a row of zeros for each day. */
function hasFigures({ columns, rows }: { columns: { name: string; kind: string }[]; rows: Row[] }): boolean {
  const figures = columns.filter(({ name, kind }) => isNumeric(kind) && !name.endsWith("_id"));
  return rows.some((row) => figures.some(({ name }) => Number(row[name] ?? 0) !== 0));
}

function show(kind: string, value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (kind === "money") return money(value as string);
  if (kind === "quantity" || kind === "integer" || kind === "number" || kind === "decimal") return quantity(value as string);
  if (kind === "percent" || kind === "ratio") return quantity(Number(value).toFixed(2));
  if (kind === "date") return day(value as string);
  if (kind === "moment") return moment(value as string);
  return String(value);
}

const WORDS: Record<string, (code: string) => string> = { state: stateLabel, movement_type: movementLabel };
const isNumeric = (kind: string): boolean => !["text", "date", "moment", "string"].includes(kind);
const titleOf = (name: string): string => {
  if (name === "sku") return t("SKU");
  const words = name.replaceAll("_", " ");
  return translated("field", name, words.charAt(0).toUpperCase() + words.slice(1));
};

function Shown({ report, title }: { report: { columns: { name: string; kind: string }[]; rows: Row[]; totals: Row }; title: string }) {
  const columns = report.columns.filter(({ name }) => !name.endsWith("_id"));
  const shown: Column<Row>[] = columns.map(({ name, kind }) => ({
    key: name,
    label: titleOf(name),
    isNumber: isNumeric(kind),
    render: (row) => (isNumeric(kind) ? show(kind, row[name]) : <div className="clip">{WORDS[name]?.(String(row[name])) ?? show(kind, row[name])}</div>),
  }));
  const totals = Object.keys(report.totals).length ? (
    <tr>{columns.map(({ name, kind }, index) => <td key={name} className={isNumeric(kind) ? "number" : ""}>{name in report.totals ? show(kind, report.totals[name]) : index === 0 ? t("Total") : ""}</td>)}</tr>
  ) : null;
  return (
    <>
      <Series report={report} title={title} />
      <DataTable label={title} isCompact rows={report.rows.slice(0, MAX_ROWS)} rowKey={(row) => report.rows.indexOf(row)} columns={shown} footer={totals} />
      {report.rows.length > MAX_ROWS ? <Text size="sm" c="dimmed">{t("The first {{shown}} of {{all}} rows; the files have all of them.", { shown: MAX_ROWS, all: report.rows.length })}</Text> : null}
    </>
  );
}

/** What people look at first, in this order; the first amounts where a report has none of them. */
const CHARTED = ["revenue", "gross_profit", "profit", "net_profit", "value"];

function amountsOf(columns: { name: string; kind: string }[]) {
  const amounts = columns.filter(({ kind }) => kind === "money");
  const charted = amounts.filter(({ name }) => CHARTED.includes(name));
  return (charted.length ? charted : amounts).slice(0, 2);
}

/** A chart of the amounts, if the rows are days in order; bars of the largest rows otherwise. */
function Series({ report, title }: { report: { columns: { name: string; kind: string }[]; rows: Row[] }; title: string }) {
  const first = report.columns[0];
  const isSeries = first !== undefined && report.rows.length > 1 && report.rows.every((row) => /^\d{4}-\d\d-\d\d$/.test(String(row[first.name])));
  const amounts = amountsOf(report.columns);
  const days = useMemo(() => (isSeries ? report.rows.map((row) => String(row[first.name])) : []), [isSeries, report.rows, first]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the amounts follow from the report
  const series = useMemo(
    () => amounts.map(({ name }) => ({ label: titleOf(name), kind: "line" as const, values: report.rows.map((row) => Number(row[name])), format: (value: number) => money(value) })),
    [report],
  );
  if (isSeries && series.length) {
    return <Section title={title}><Suspense fallback={<Loading />}><Chart label={title} days={days} series={series} /></Suspense></Section>;
  }
  const amount = amounts[0];
  return amount ? <Bars rows={report.rows} amount={amount.name} label={report.columns.find(({ name, kind }) => kind !== "money" && !name.endsWith("_id") && !isNumeric(kind))?.name} title={title} /> : null;
}

function Bars({ rows, amount, label, title }: { rows: Row[]; amount: string; label: string | undefined; title: string }) {
  const largest = [...rows].sort((a, b) => Number(b[amount]) - Number(a[amount])).slice(0, 10).filter((row) => Number(row[amount]) > 0);
  const most = Number(largest[0]?.[amount] ?? 0);
  if (!label || largest.length < 2) return null;
  return (
    <Section title={t("{{title}}: the largest", { title })}>
      <div aria-hidden="true">
        {largest.map((row) => (
          <div key={String(row[label])} style={{ display: "grid", gridTemplateColumns: "minmax(90px, 220px) 1fr max-content", gap: 10, alignItems: "center", fontSize: "0.85rem", padding: "2px 0" }}>
            <span className="clip" style={{ overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}>{String(row.name ?? row[label] ?? "–")}</span>
            <span style={{ background: "var(--console-series)", height: 14, borderRadius: 4, width: `${(100 * Number(row[amount])) / most}%` }} />
            <span className="number">{money(row[amount] as string)}</span>
          </div>
        ))}
      </div>
    </Section>
  );
}
