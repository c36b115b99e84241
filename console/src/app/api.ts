/** The API: one client for the whole console, with the browser's session cookie. */
import { ConnectionFailed, createStockbuddy, errors, type CallOptions, type Schemas } from "@stockbuddy/client";
import { t, translated } from "./i18n.ts";
import { PATH_PREFIX } from "./page.ts";
import { type Method, proveIdentity } from "./step-up.ts";

export type { Schemas } from "@stockbuddy/client";
export { errors } from "@stockbuddy/client";

export interface Page<Item> {
  items: Item[];
  page: number;
  page_size: number;
  total: number;
  next_cursor: string | null;
}

type Query = NonNullable<CallOptions["query"]>;

/** The value of the cookie that another site can't read; empty without a session. */
export function csrfToken(): string {
  return /(?:^|; )(?:__Host-|__Secure-)?csrf_token=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}

export const client = createStockbuddy(location.origin + PATH_PREFIX, { credentials: { csrfToken }, timeoutSeconds: 20 });

export function read<Value>(path: string, query: Query = {}, options: CallOptions = {}): Promise<Value> {
  return client.request("GET", path, { ...options, query }) as Promise<Value>;
}

/** A write. One that needs a fresh proof of identity waits for it. */
export async function send<Value>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown, options: CallOptions = {}): Promise<Value> {
  const write = (): Promise<Value> => client.request(method, path, { ...options, body }) as Promise<Value>;
  try {
    return await write();
  } catch (error) {
    if (error instanceof errors.StepUpRequired && (await proveIdentity((error as unknown as { methods: Method[] }).methods))) return await write();
    throw error;
  }
}

/** The URL of a response that the browser itself downloads, with the session cookie. */
export function downloadUrl(path: string, query: Record<string, string> = {}): string {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  return `${PATH_PREFIX}/api/v1${path}${parameters.size ? `?${parameters}` : ""}`;
}

/** The signed path of an image of the API, below the path prefix. */
export function imageUrl(path: string): string {
  return path.startsWith("http") ? path : path.startsWith(`${PATH_PREFIX}/`) ? path : PATH_PREFIX + path;
}

/** Whether the request has no response: the network or the server is away. */
export const isUnreachable = (error: unknown): boolean => error instanceof ConnectionFailed;

/** What to show to people: the problem's detail, or that the server can't be reached. */
export function messageOf(error: unknown): string {
  if (isUnreachable(error)) return t("The server can't be reached.");
  if (error instanceof errors.InsufficientStock) return shortagesOf(error.shortages);
  const problem = error as { code?: string; detail?: string; title?: string; message?: string };
  const invalid = invalidFields(error);
  if (invalid.length) return invalid.map(({ label, message }) => `${label}: ${message}`).join(" · ");
  if (problem.code) return translated("problem", problem.code, problem.detail || problem.title || problem.message || problem.code);
  return problem.detail || problem.title || problem.message || String(error);
}

function shortagesOf(shortages: { sku: string; requested: unknown; available: unknown }[]): string {
  return shortages.map((one) => t("{{sku}}: {{requested}} wanted, {{available}} available", { sku: one.sku, requested: String(one.requested), available: String(one.available) })).join(" · ");
}

interface InvalidField {
  /** Its path in the body; an item of a list has that of the list. */
  field: string;
  label: string;
  message: string;
}

/** What is wrong with which field, of a 422, in the reader's language. */
export function invalidFields(error: unknown): InvalidField[] {
  const found = (error as { errors?: Partial<Schemas["InvalidField"]>[] } | undefined)?.errors ?? [];
  return found.map(({ field = "", message = "", code = "", values = {} }) => {
    const path = field.replace(/\.\d+$/, "");
    const name = path.split(".").at(-1) ?? path;
    return { field: path, label: translated("field", name, path), message: translated("invalid", code, message, values) };
  });
}

/** The messages of a 422 by the name of the field. */
export function fieldErrors(error: unknown): Record<string, string> {
  return Object.fromEntries(invalidFields(error).map(({ field, message }) => [field, message]));
}

/** An idempotency key; `crypto.randomUUID` exists in secure contexts only. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The user who is logged in. */
export type User = Schemas["ProfileResponse"];
/** Any user, as admins see them. */
export type Person = Schemas["UserResponse"];
