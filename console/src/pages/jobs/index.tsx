/** The user's jobs: reports and exports in the background, with their progress and results. */
import { Button, Progress } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { downloadUrl, type Page as ApiPage, type Schemas, send } from "../../app/api.ts";
import { day, moment } from "../../app/format.ts";
import { t, translated } from "../../app/i18n.ts";
import { may } from "../../app/permissions.ts";
import { useRead, useWarehouses, useWrite } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { ConfirmButton } from "../../parts/dialog.tsx";
import { failureReason } from "../../parts/failures.ts";
import { EmptyState, ErrorNotice, Loading, Page } from "../../parts/page.tsx";
import { groupLabel, reportLabel } from "../../parts/report-kinds.ts";
import { DataTable } from "../../parts/table.tsx";
import { State } from "../../parts/texts.tsx";

type Job = Schemas["JobResponse"];

/** More than a user may keep in one service. */
const PAGE_SIZE = 100;

const isOpen = ({ state }: Job): boolean => state === "queued" || state === "running";

/** What the job produces, by the path of its request. */
function nameOf({ request }: Job): string {
  const path = request.split("?")[0] as string;
  const report = /\/reports\/([^/]+)$/.exec(path)?.[1];
  return report ? reportLabel(report) : path.replace("/api/v1", "");
}

const LABELS: Record<string, string> = { from: t("From"), to: t("Before"), group_by: t("By"), warehouse_id: t("Warehouse"), category: t("Category"), method: t("Valued by"), days: t("Days without a sale") };
/** The time zone is that of the company. */
const NOT_SHOWN = ["format", "tz"];

/** What the request asks for, in words. */
function useParameters(): (job: Job) => string {
  const warehouses = useWarehouses();
  const shownValue = (name: string, value: string): string => {
    if (name === "from" || name === "to") return day(value);
    if (name === "group_by") return groupLabel(value);
    return name === "warehouse_id" ? warehouses.nameOf(Number(value)) : value;
  };
  return ({ request }) => {
    const given = new URLSearchParams(request.split("?")[1]);
    const named = [...given].filter(([name]) => !NOT_SHOWN.includes(name)).map(([name, value]) => `${LABELS[name] ?? translated("field", name, name)}: ${shownValue(name, value)}`);
    return [...named, given.get("format")?.toUpperCase()].filter(Boolean).join(" · ");
  };
}

/** Each service has its jobs: those of one remain visible while the other is away. */
export default function JobsPage() {
  const stock = useRead<ApiPage<Job>>("/jobs/stock", { page_size: PAGE_SIZE });
  const catalog = useRead<ApiPage<Job>>("/jobs/catalog", { page_size: PAGE_SIZE });
  const missing = [stock, catalog].filter(({ data }) => data === undefined);
  const failed = missing.find(({ error }) => error);
  const jobs = [stock, catalog].flatMap(({ data }) => data?.items ?? []);
  return (
    <Page title={t("Background jobs")} lead={t("Reports and exports that are produced while you go on. A result is kept for a day.")}>
      {failed ? <ErrorNotice error={failed.error} onRetry={() => missing.map(({ refetch }) => refetch())} /> : null}
      {missing.length > 0 && !failed ? <Loading /> : null}
      {missing.length === 0 || jobs.length > 0 ? <Jobs jobs={jobs} /> : null}
    </Page>
  );
}

function Jobs({ jobs }: { jobs: Job[] }) {
  const user = useUser();
  const parametersOf = useParameters();
  const newestFirst = [...jobs].sort((a, b) => b.created_at.localeCompare(a.created_at));
  const reports = may(user, "report.read") ? <Button variant="default" component={Link} to="/reports">{t("Reports")}</Button> : null;
  if (jobs.length === 0) return <EmptyState action={reports} title={t("No jobs")} text={t("Reports that you produce in the background, runs of your schedules, and large exports appear here.")} />;
  return (
    <DataTable
      label={t("Background jobs")}
      rows={newestFirst}
      rowKey={(row) => row.url}
      columns={[
        { key: "name", label: t("What"), render: (row) => <><span className="strong">{nameOf(row)}</span><div className="dim clip">{parametersOf(row)}</div></> },
        { key: "at", label: t("When"), isWideOnly: true, render: (row) => <span className="nowrap">{moment(row.created_at)}</span> },
        { key: "state", label: t("State"), render: (row) => <JobState job={row} /> },
        { key: "until", label: t("Kept until"), isWideOnly: true, render: (row) => <span className="nowrap">{isOpen(row) ? "–" : moment(row.expires_at)}</span> },
        { key: "actions", label: t("Actions"), isAction: true, render: (row) => <JobActions job={row} /> },
      ]}
    />
  );
}

function JobState({ job }: { job: Job }) {
  return (
    <>
      <State state={job.state} />
      {job.state === "running" ? <Progress value={job.progress} miw={90} aria-label={t("Progress of {{name}}", { name: nameOf(job) })} /> : null}
      {job.problem ? <div className="dim">{failureReason(job.problem.code, job.problem.detail)}</div> : null}
    </>
  );
}

function JobActions({ job }: { job: Job }) {
  const name = nameOf(job);
  const path = `/jobs/${job.service}/${job.id}`;
  const remove = useWrite(() => send("DELETE", path), { showsErrors: false, done: () => t("{{name}} deleted", { name }) });
  return (
    <span className="nowrap">
      {job.state === "done" ? <a href={downloadUrl(`${path}/result`)} download aria-label={t("Download {{name}}", { name })}>{t("Download")}</a> : null}{" "}
      {isOpen(job) ? (
        <ConfirmButton size="compact-xs" variant="subtle" label={t("Stop")} description={t("Stop {{name}}", { name })} title={t("Stop {{name}}?", { name })} text={t("What was produced so far is discarded.")} onConfirm={() => remove.mutateAsync(undefined)} />
      ) : (
        <ConfirmButton size="compact-xs" variant="subtle" label={t("Delete")} description={t("Delete {{name}}", { name })} title={t("Delete {{name}}?", { name })} text={t("The job and its result are deleted.")} onConfirm={() => remove.mutateAsync(undefined)} />
      )}
    </span>
  );
}
