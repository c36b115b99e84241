/** Scheduled reports: what the user has scheduled, and what others have scheduled for them. */
import { Link } from "@tanstack/react-router";
import { useSearchState } from "../../app/location.ts";
import { may } from "../../app/permissions.ts";
import { useUser } from "../../app/session.tsx";
import { ago, moment } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { DialogButton } from "../../parts/dialog.tsx";
import { ListPage } from "../../parts/list.tsx";
import { reportLabel } from "../../parts/report-kinds.ts";
import { State, Tag } from "../../parts/texts.tsx";
import { ScheduleDialog } from "./dialog.tsx";
import { ScheduleSection } from "./schedule.tsx";
import { periodLabel, recurrenceLabel, type Schedule } from "./words.ts";

export default function ReportSchedulesPage() {
  const [search, change] = useSearchState();
  const open = (schedule: Schedule): void => change({ schedule: String(schedule.id) });
  const user = useUser();
  const create = !may(user, "report.read") ? null : <DialogButton label={t("New schedule")}>{(close) => <ScheduleDialog onClose={close} onCreated={open} />}</DialogButton>;
  return (
    <>
      <ListPage<Schedule>
        title={t("Scheduled reports")}
        lead={t("Reports that are produced at fixed times. Their recipients get an e-mail with a link to the result.")}
        path="/report-schedules"
        actions={create}
        columns={[
          { key: "name", label: t("Name"), text: (row) => row.name, render: (row) => <Link to="/report-schedules" search={{ schedule: String(row.id) } as never}>{row.name}</Link> },
          { key: "report", label: t("Report"), text: (row) => row.report, render: (row) => <>{reportLabel(row.report)}<div className="dim">{periodLabel(row.period)}</div></> },
          { key: "recurrence", label: t("Repeated"), isWideOnly: true, text: (row) => recurrenceLabel(row.recurrence), render: (row) => recurrenceLabel(row.recurrence) },
          { key: "next", label: t("Next run"), text: (row) => row.next_run_at, render: (row) => (row.is_paused ? <Tag>{t("Paused")}</Tag> : <span className="nowrap">{moment(row.next_run_at)}</span>) },
          { key: "last", label: t("Latest run"), text: (row) => row.last_run?.started_at, render: (row) => (row.last_run ? <><State state={row.last_run.state} /><div className="dim nowrap">{ago(row.last_run.started_at)}</div></> : "–") },
        ]}
        empty={{ title: t("No scheduled reports yet"), text: t("Choose a report and a time: the sales of the last week every Monday morning, for example."), action: create }}
      />
      {search.schedule ? <div style={{ marginTop: 24 }}><ScheduleSection key={search.schedule} id={search.schedule} onClose={() => change({ schedule: "" })} /></div> : null}
    </>
  );
}
