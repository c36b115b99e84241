/** When a request is repeated, and how long that waits. */
import type { StockbuddyError } from "./problems.js";

export const KEY_HEADER = "Idempotency-Key";
export const RETRIED_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const BASE_DELAY_SECONDS = 0.1;
const MAX_DELAY_SECONDS = 5;

/** A retry that is about to wait `delaySeconds`; `attempt` counts the failed attempts. */
export interface Retry {
  method: string;
  url: string;
  attempt: number;
  delaySeconds: number;
  reason: StockbuddyError;
}

/** A POST without idempotency key may take effect twice. */
export function mayRepeat(method: string, headers: Headers): boolean {
  return method !== "POST" || headers.has(KEY_HEADER);
}

/** Full jitter, but at least what the server demands. */
export function delaySeconds(attempt: number, retryAfter: number | undefined): number {
  const jitter = Math.random() * Math.min(MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * 2 ** attempt);
  return Math.max(jitter, retryAfter ?? 0);
}

/** The header `Retry-After`: seconds or a date. */
export function retryAfterSeconds(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value);
  const moment = Date.parse(value);
  return Number.isNaN(moment) ? undefined : Math.max(0, (moment - Date.now()) / 1000);
}

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** A random UUID; `crypto.randomUUID` does not exist on pages without HTTPS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
