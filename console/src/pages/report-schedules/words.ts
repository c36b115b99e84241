/** What a schedule says, in words: its period, its recurrence, and why it is paused. */
import type { Schemas } from "../../app/api.ts";
import { locale, t } from "../../app/i18n.ts";
import { failureReason } from "../../parts/failures.ts";

export type Schedule = Schemas["ReportScheduleResponse"];
type Recurrence = Schedule["recurrence"];
type Weekday = NonNullable<Recurrence["weekdays"]>[number];

const PERIODS: Record<NonNullable<Schedule["period"]>, string> = {
  today: t("Today"),
  yesterday: t("Yesterday"),
  last_7_days: t("The last 7 days"),
  last_30_days: t("The last 30 days"),
  this_month: t("This month"),
  last_week: t("Last week"),
  last_month: t("Last month"),
};
const PAUSE_REASONS: Record<NonNullable<Schedule["pause_reason"]>, string> = {
  owner_inactive: t("The account of its owner is not active."),
  permission_revoked: t("Its owner may no longer read the report."),
};
const FREQUENCIES: Record<Recurrence["frequency"], string> = { daily: t("Daily"), weekly: t("Weekly"), monthly: t("Monthly") };

/** 2024-01-01 was a Monday. */
const nameOfDay = (index: number): string => new Intl.DateTimeFormat(locale(), { weekday: "long", timeZone: "UTC" }).format(Date.UTC(2024, 0, 1 + index));
const WEEKDAYS: Weekday[] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

export const weekdayOptions = WEEKDAYS.map((value, index) => ({ value, label: nameOfDay(index) }));
export const periodOptions = Object.entries(PERIODS).map(([value, label]) => ({ value, label }));
export const frequencyOptions = Object.entries(FREQUENCIES).map(([value, label]) => ({ value, label }));
export const periodLabel = (period: Schedule["period"]): string => (period ? PERIODS[period] : "");
export const pauseReason = ({ pause_reason }: Schedule): string => (pause_reason ? PAUSE_REASONS[pause_reason] : "");

export function recurrenceLabel({ frequency, time, weekdays, day_of_month }: Recurrence): string {
  const days = weekdayOptions.filter(({ value }) => weekdays?.includes(value)).map(({ label }) => label);
  if (frequency === "weekly") return t("{{days}} at {{time}}", { days: new Intl.ListFormat(locale()).format(days), time });
  if (frequency === "monthly") return t("Day {{day}} of each month at {{time}}", { day: day_of_month ?? 1, time });
  return t("Daily at {{time}}", { time });
}

/** Why the latest run failed; empty unless it did. */
export const runProblem = ({ last_run }: Schedule): string => (last_run?.problem_code ? failureReason(last_run.problem_code) : "");
