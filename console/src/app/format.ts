/** Numbers, money and time in the reader's locale; moments in the company's time zone. Numbers stay exact: they are
 * formatted from their decimal strings. */
import { locale } from "./i18n.ts";

let currency: string | undefined;
let timeZone: string | undefined;

/** Called once the company's settings are known. */
export function setCompany(company: { currency: string; timezone: string }): void {
  currency = company.currency;
  timeZone = company.timezone;
}

export const companyTimezone = (): string => timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;

type Decimal = string | number | null | undefined;
/** `Intl` formats decimal strings exactly; the library's type allows numbers only. */
const exact = (value: Decimal) => value as number;
const missing = "–";

export function money(value: Decimal, options: { sign?: boolean } = {}): string {
  if (value === null || value === undefined || value === "") return missing;
  const signDisplay = options.sign ? "exceptZero" : "auto";
  const style = currency === undefined ? { minimumFractionDigits: 2 } : { style: "currency" as const, currency };
  return new Intl.NumberFormat(locale(), { ...style, signDisplay }).format(exact(value));
}

export function quantity(value: Decimal, options: { sign?: boolean } = {}): string {
  if (value === null || value === undefined || value === "") return missing;
  const signDisplay = options.sign ? "exceptZero" : "auto";
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: 3, signDisplay }).format(exact(value));
}

export const integer = (value: number): string => new Intl.NumberFormat(locale()).format(value);

export function percent(value: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent", signDisplay: "exceptZero", maximumFractionDigits: 0 }).format(value);
}

export function moment(value: string | null | undefined): string {
  if (!value) return missing;
  const style = { dateStyle: "medium", timeStyle: "short", timeZone } as const;
  return new Intl.DateTimeFormat(locale(), style).format(new Date(value));
}

/** A day without a time (`2024-06-30`), or the company's day of a moment. */
export function day(value: string | null | undefined): string {
  if (!value) return missing;
  const isDay = value.length === 10;
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeZone: isDay ? "UTC" : timeZone }).format(new Date(value));
}

export function shortDay(value: string | number): string {
  return new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short", timeZone: "UTC" }).format(new Date(value));
}

/** The company's today, plus so many days, as `2024-06-30`. */
export function today(plusDays = 0): string {
  return dayOf(Date.now() + plusDays * 86_400_000);
}

/** The company's day of a moment, as `2024-06-30`. */
export function dayOf(value: string | number): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(value));
}

export function ago(value: string | number): string {
  const seconds = Math.round((new Date(value).getTime() - Date.now()) / 1000);
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400], ["hour", 3600], ["minute", 60]];
  const [unit, size] = steps.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

const separator = new Intl.NumberFormat(locale()).formatToParts(1.5).find((part) => part.type === "decimal")?.value ?? ".";

/** What a person typed as a decimal number for the API; undefined if it is none. */
export function parseDecimal(text: string): string | undefined {
  const plain = text.trim().replace(/[\s']/g, "").replace(separator, ".");
  const value = separator === "," ? plain : plain.replace(",", ".");
  return /^-?\d+(\.\d+)?$/.test(value) ? value : undefined;
}

/** A decimal number as a person edits it: their separator, without trailing zeros beyond the cents. */
export function editable(value: Decimal): string {
  if (value === null || value === undefined) return "";
  return String(value).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "").replace(".", separator);
}
