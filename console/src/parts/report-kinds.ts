/** The reports: what each is about, who may read it, and what it can be asked for. */
import type { Schemas, User } from "../app/api.ts";
import { t } from "../app/i18n.ts";
import { may, type Permission } from "../app/permissions.ts";

export interface ReportKind {
  value: Schemas["ReportScheduleResponse"]["report"];
  label: string;
  purpose: string;
  permission?: Permission;
  hasPeriod?: boolean;
  groups?: string[];
}

const KINDS: ReportKind[] = [
  { value: "sales", label: t("Sales"), purpose: t("What was sold, and what it brought in."), hasPeriod: true, groups: ["day", "week", "month", "product", "category", "customer", "seller", "warehouse"] },
  { value: "profit", label: t("Profit"), purpose: t("Sales less the cost of the goods and the expenses."), permission: "cost.read", hasPeriod: true, groups: ["day", "week", "month"] },
  { value: "inventory-valuation", label: t("Value of the stock"), purpose: t("What the goods in stock have cost."), permission: "cost.read" },
  { value: "stock-aging", label: t("Age of the stock"), purpose: t("How long the goods have been here; old stock ties up money."), permission: "cost.read" },
  { value: "dead-stock", label: t("Unsold stock"), purpose: t("Products with stock that was not sold for a long time."), permission: "cost.read" },
  { value: "turnover", label: t("Turnover"), purpose: t("How often the stock was sold and replaced in the period."), permission: "cost.read", hasPeriod: true },
  { value: "movements", label: t("Movements"), purpose: t("What came in and went out, by kind."), hasPeriod: true, groups: ["product", "category", "warehouse", "none"] },
];
const GROUP_LABELS: Record<string, string> = { day: t("Day"), week: t("Week"), month: t("Month"), product: t("Product"), category: t("Category"), customer: t("Customer"), seller: t("Seller"), warehouse: t("Warehouse"), none: t("All together") };

/** The reports that the user may read. */
export const reportKindsFor = (user: User): ReportKind[] => KINDS.filter(({ permission }) => !permission || may(user, permission));

/** The report of this name; without one, the first. */
export const reportKind = (kinds: ReportKind[], name: string | undefined): ReportKind => kinds.find(({ value }) => value === name) ?? (kinds[0] as ReportKind);

export const reportLabel = (name: string): string => KINDS.find(({ value }) => value === name)?.label ?? name;
export const groupLabel = (group: string): string => GROUP_LABELS[group] ?? group;
export const groupOptions = (groups: string[]) => groups.map((value) => ({ value, label: groupLabel(value) }));
