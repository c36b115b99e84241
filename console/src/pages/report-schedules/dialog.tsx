/** The form of a schedule: which report, of which period, when, and for whom. */
import { useState } from "react";
import { Checkbox, Group, NativeSelect, TextInput } from "@mantine/core";
import { send } from "../../app/api.ts";
import { companyTimezone } from "../../app/format.ts";
import { language, LANGUAGES, t } from "../../app/i18n.ts";
import { useWrite } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { FormDialog } from "../../parts/dialog.tsx";
import { WarehouseSelect } from "../../parts/inputs.tsx";
import { groupOptions, type ReportKind, reportKind, reportKindsFor } from "../../parts/report-kinds.ts";
import { RecipientsInput } from "./recipients.tsx";
import { frequencyOptions, periodOptions, type Schedule, weekdayOptions } from "./words.ts";

const FORMATS = [{ value: "xlsx", label: "XLSX" }, { value: "csv", label: "CSV" }, { value: "json", label: "JSON" }];
const METHODS = [{ value: "average", label: t("Average cost") }, { value: "fifo", label: t("First in, first out") }];
const MAX_DAY = 31;
const MAX_IDLE_DAYS = 3650;

interface Values {
  name: string;
  report: string;
  period: string;
  group: string;
  warehouseId: string;
  category: string;
  method: string;
  idleDays: string;
  frequency: string;
  time: string;
  weekdays: string[];
  dayOfMonth: string;
  recipientIds: number[];
  language: string;
  format: string;
}

function initialOf(schedule: Schedule | undefined, userId: number): Values {
  const { parameters, recurrence } = schedule ?? {};
  return {
    name: schedule?.name ?? "",
    report: schedule?.report ?? "sales",
    period: schedule?.period ?? "last_week",
    group: parameters?.group_by ?? "",
    warehouseId: parameters?.warehouse_id ? String(parameters.warehouse_id) : "",
    category: parameters?.category ?? "",
    method: parameters?.method ?? "average",
    idleDays: parameters?.days ? String(parameters.days) : "",
    frequency: recurrence?.frequency ?? "weekly",
    time: recurrence?.time ?? "07:00",
    weekdays: recurrence?.weekdays?.length ? recurrence.weekdays : ["monday"],
    dayOfMonth: String(recurrence?.day_of_month ?? 1),
    recipientIds: schedule?.recipient_ids ?? [userId],
    language: schedule?.language ?? language(),
    format: schedule?.format ?? "xlsx",
  };
}

/** Only what the report takes; without a value the API's default applies. */
function parametersOf(values: Values, kind: ReportKind): Record<string, string | number> {
  const given = {
    group_by: kind.groups ? values.group || (kind.groups[0] as string) : "",
    warehouse_id: Number(values.warehouseId),
    category: kind.value === "profit" ? "" : values.category.trim(),
    method: kind.value === "inventory-valuation" ? values.method : "",
    days: kind.value === "dead-stock" ? Number(values.idleDays) : 0,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value));
}

function bodyOf(values: Values, kind: ReportKind) {
  const { frequency, time } = values;
  const days = frequency === "weekly" ? { weekdays: values.weekdays } : frequency === "monthly" ? { day_of_month: Number(values.dayOfMonth) } : {};
  return {
    name: values.name,
    report: kind.value,
    parameters: parametersOf(values, kind),
    period: kind.hasPeriod ? values.period : null,
    recurrence: { frequency, time, ...days },
    recipient_ids: values.recipientIds,
    language: values.language,
    format: values.format,
  };
}

export function ScheduleDialog({ schedule, onClose, onCreated }: { schedule?: Schedule; onClose: () => void; onCreated?: (schedule: Schedule) => void }) {
  const user = useUser();
  const [values, setValues] = useState(() => initialOf(schedule, user.id));
  /** That of the values shown: the schedule is read again when it changes. */
  const [version] = useState(schedule?.version);
  const kinds = reportKindsFor(user);
  const kind = reportKind(kinds, values.report);
  const set = (changes: Partial<Values>): void => setValues({ ...values, ...changes });
  const save = useWrite(
    () => (schedule ? send<Schedule>("PATCH", `/report-schedules/${schedule.id}`, bodyOf(values, kind), { headers: { "If-Match": `"${version}"` } }) : send<Schedule>("POST", "/report-schedules", bodyOf(values, kind))),
    { showsErrors: false, done: ({ name }) => t("{{name}} saved", { name }), ...(onCreated ? { onDone: onCreated } : {}) },
  );
  const isComplete = values.name.trim() !== "" && values.time !== "" && values.recipientIds.length > 0 && (values.frequency !== "weekly" || values.weekdays.length > 0);
  return (
    <FormDialog size="lg" title={schedule ? t("Edit {{name}}", { name: schedule.name }) : t("New schedule")} button={schedule ? t("Save") : t("Create")} isDisabled={!isComplete} onClose={onClose} onSubmit={() => save.mutateAsync(undefined)}>
      {(problems) => (
        <>
          <TextInput label={t("Name")} data-autofocus required value={values.name} error={problems.name} onChange={(event) => set({ name: event.currentTarget.value })} />
          <div className="field-row">
            <NativeSelect label={t("Report")} value={kind.value} error={problems.report} data={kinds.map(({ value, label }) => ({ value, label }))} onChange={(event) => set({ report: event.currentTarget.value, group: "" })} />
            {kind.hasPeriod ? <NativeSelect label={t("Period")} value={values.period} error={problems.period} data={periodOptions} onChange={(event) => set({ period: event.currentTarget.value })} /> : null}
            {kind.groups ? <NativeSelect label={t("By")} value={values.group || (kind.groups[0] as string)} error={problems["parameters.group_by"]} data={groupOptions(kind.groups)} onChange={(event) => set({ group: event.currentTarget.value })} /> : null}
          </div>
          <div className="field-row">
            <WarehouseSelect isOptional value={values.warehouseId} error={problems["parameters.warehouse_id"]} onChange={(warehouseId) => set({ warehouseId })} />
            {kind.value === "profit" ? null : <TextInput label={t("Category")} value={values.category} error={problems["parameters.category"]} onChange={(event) => set({ category: event.currentTarget.value })} />}
            {kind.value === "inventory-valuation" ? <NativeSelect label={t("Valued by")} value={values.method} data={METHODS} onChange={(event) => set({ method: event.currentTarget.value })} /> : null}
            {kind.value === "dead-stock" ? <TextInput type="number" label={t("Days without a sale")} min={1} max={MAX_IDLE_DAYS} value={values.idleDays} error={problems["parameters.days"]} onChange={(event) => set({ idleDays: event.currentTarget.value })} /> : null}
          </div>
          <div className="field-row">
            <NativeSelect label={t("Repeated")} value={values.frequency} data={frequencyOptions} onChange={(event) => set({ frequency: event.currentTarget.value })} />
            <TextInput type="time" label={t("At")} description={companyTimezone()} inputWrapperOrder={["label", "input", "description", "error"]} required value={values.time} error={problems["recurrence.time"]} onChange={(event) => set({ time: event.currentTarget.value.slice(0, 5) })} />
            {values.frequency === "monthly" ? <TextInput type="number" label={t("Day of the month")} description={t("In shorter months the last day")} inputWrapperOrder={["label", "input", "description", "error"]} min={1} max={MAX_DAY} value={values.dayOfMonth} error={problems["recurrence.day_of_month"]} onChange={(event) => set({ dayOfMonth: event.currentTarget.value })} /> : null}
          </div>
          {values.frequency === "weekly" ? (
            <Checkbox.Group label={t("Weekdays")} value={values.weekdays} error={problems["recurrence.weekdays"]} onChange={(weekdays) => set({ weekdays })}>
              <Group gap="sm" mt={4}>{weekdayOptions.map(({ value, label }) => <Checkbox key={value} value={value} label={label} />)}</Group>
            </Checkbox.Group>
          ) : null}
          <RecipientsInput ids={values.recipientIds} error={problems.recipient_ids} onChange={(recipientIds) => set({ recipientIds })} />
          <div className="field-row">
            <NativeSelect label={t("Language of the e-mails")} value={values.language} data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))} onChange={(event) => set({ language: event.currentTarget.value })} />
            <NativeSelect label={t("Format")} value={values.format} data={FORMATS} onChange={(event) => set({ format: event.currentTarget.value })} />
          </div>
        </>
      )}
    </FormDialog>
  );
}
