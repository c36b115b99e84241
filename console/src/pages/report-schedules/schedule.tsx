/** One schedule, below the list: what it produces, its latest run and result, and what its owner may do. */
import { useEffect, useRef } from "react";
import { Alert, Button, Group, Stack } from "@mantine/core";
import { downloadUrl, errors, send } from "../../app/api.ts";
import { moment } from "../../app/format.ts";
import { LANGUAGES, t } from "../../app/i18n.ts";
import { useRead, useWrite, useWarehouses } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { ConfirmButton, DialogButton } from "../../parts/dialog.tsx";
import { Loaded, Section } from "../../parts/page.tsx";
import { groupLabel, reportLabel } from "../../parts/report-kinds.ts";
import { Definitions, State } from "../../parts/texts.tsx";
import { ScheduleDialog } from "./dialog.tsx";
import { useRecipients } from "./recipients.tsx";
import { pauseReason, periodLabel, recurrenceLabel, runProblem, type Schedule } from "./words.ts";

export function ScheduleSection({ id, onClose }: { id: string; onClose: () => void }) {
  const read = useRead<Schedule>(`/report-schedules/${encodeURIComponent(id)}`);
  const frame = useRef<HTMLDivElement>(null);
  const close = <Button size="compact-sm" variant="subtle" onClick={onClose}>{t("Close")}</Button>;
  const isShown = read.data !== undefined || read.error !== null;
  // A long list hides what has been opened below it.
  useEffect(() => {
    if (isShown) frame.current?.focus();
  }, [isShown]);
  return (
    <div ref={frame} tabIndex={-1}>
      {read.error instanceof errors.NotFound ? (
        <Section title={t("Not found")} actions={close}>{t("This schedule was deleted, or you are not among its recipients.")}</Section>
      ) : (
        <Loaded read={read}>{(schedule) => <Section title={schedule.name} actions={close}><Details schedule={schedule} onDeleted={onClose} /></Section>}</Loaded>
      )}
    </div>
  );
}

function Details({ schedule, onDeleted }: { schedule: Schedule; onDeleted: () => void }) {
  const user = useUser();
  const { nameOf, isReached } = useRecipients([schedule.owner_id, ...schedule.recipient_ids]);
  const warehouses = useWarehouses();
  const { parameters, last_run } = schedule;
  const isOwner = schedule.owner_id === user.id;
  const shownName = (id: number): string => (isOwner && !isReached(id) ? t("{{name}} (not sent: may not see all of it)", { name: nameOf(id) }) : nameOf(id));
  return (
    <Stack gap="sm">
      {schedule.pause_reason ? <Alert color="orange" variant="outline"><span className="strong">{t("Paused")}:</span> {pauseReason(schedule)}</Alert> : null}
      <Definitions
        items={[
          [t("Report"), reportLabel(schedule.report)],
          [t("Period"), periodLabel(schedule.period)],
          [t("By"), parameters.group_by ? groupLabel(parameters.group_by) : null],
          [t("Warehouse"), parameters.warehouse_id ? warehouses.nameOf(parameters.warehouse_id) : null],
          [t("Category"), parameters.category],
          [t("Days without a sale"), parameters.days],
          [t("Repeated"), `${recurrenceLabel(schedule.recurrence)} (${schedule.timezone})`],
          [t("Next run"), schedule.is_paused ? t("Paused") : moment(schedule.next_run_at)],
          [t("Owner"), nameOf(schedule.owner_id)],
          [t("Recipients"), schedule.recipient_ids.map(shownName).join(", ")],
          [t("Language of the e-mails"), LANGUAGES[schedule.language]],
          [t("Format"), schedule.format.toUpperCase()],
          [t("Latest run"), last_run ? <><State state={last_run.state} /> {moment(last_run.started_at)} {runProblem(schedule)}</> : t("It has not run yet.")],
        ]}
      />
      {schedule.result_url ? (
        <Group gap="sm">
          <Button variant="default" component="a" href={downloadUrl(`/report-schedules/${schedule.id}/result`)} download>{t("Download the latest result")}</Button>
          <span className="dim">{t("Kept until {{time}}", { time: moment(schedule.result_expires_at) })}</span>
        </Group>
      ) : null}
      {isOwner ? <OwnerActions schedule={schedule} onDeleted={onDeleted} /> : null}
    </Stack>
  );
}

function OwnerActions({ schedule, onDeleted }: { schedule: Schedule; onDeleted: () => void }) {
  const path = `/report-schedules/${schedule.id}`;
  const name = schedule.name;
  const matching = { headers: { "If-Match": `"${schedule.version}"` } };
  const run = useWrite(() => send("POST", `${path}/run`, {}), { done: () => t("{{name}} is being produced", { name }) });
  const pause = useWrite(() => send("PATCH", path, { is_paused: !schedule.is_paused }, matching), { done: () => (schedule.is_paused ? t("{{name}} runs again", { name }) : t("{{name}} is paused", { name })) });
  const remove = useWrite(() => send("DELETE", path, undefined, matching), { showsErrors: false, done: () => t("{{name}} deleted", { name }), onDone: onDeleted });
  return (
    <Group gap="xs">
      <Button disabled={schedule.last_run?.state === "running"} loading={run.isPending} onClick={() => run.mutate(undefined)}>{t("Run now")}</Button>
      <Button variant="default" loading={pause.isPending} onClick={() => pause.mutate(undefined)}>{schedule.is_paused ? t("Resume") : t("Pause")}</Button>
      <DialogButton variant="default" label={t("Edit")}>{(close) => <ScheduleDialog schedule={schedule} onClose={close} />}</DialogButton>
      <ConfirmButton variant="subtle" label={t("Delete")} title={t("Delete {{name}}?", { name })} text={t("Its latest result is deleted, too. To stop the e-mails for a while, pause it.")} onConfirm={() => remove.mutateAsync(undefined)} />
    </Group>
  );
}
