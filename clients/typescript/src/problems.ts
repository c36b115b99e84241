/** The base classes of all errors. `errors` has one generated class for each `code` of the API. */
import type { Exact } from "./exact.js";

/** What a sale or another posting requests of a product, and what is available. */
export interface Shortage {
  product_id: number;
  sku: string;
  warehouse_id: number;
  requested: Exact;
  available: Exact;
}

/** `field`: a parameter's name or a path in the body, such as `lines.0.quantity`. */
export interface InvalidField {
  field: string;
  message: string;
  /** What is wrong, such as `greater_than`; earlier servers do not send it. */
  code?: string;
  /** What `message` names, such as `{ gt: "0" }`. */
  values?: Record<string, string>;
}

/** Every error of this library. */
export class StockbuddyError extends Error {}

/** No usable response. `mayHaveTakenEffect`: whether the server may have received the request. */
export class ConnectionFailed extends StockbuddyError {
  mayHaveTakenEffect = true;
}

/** The deadline of the call passed, retries included. */
export class DeadlineExceeded extends ConnectionFailed {}

/** The response is not what the API sends, such as the page of a proxy. */
export class InvalidResponse extends StockbuddyError {}

export type Problem = Record<string, unknown>;

/**
 * The API's refusal: an RFC 9457 problem, whose members are properties. `code` is stable; `detail` is for people;
 * `request_id` finds the request in the server's logs.
 */
export class ApiError extends StockbuddyError {
  declare readonly code: string;
  declare readonly detail: string;
  declare readonly request_id: string | null;
  /** An earlier attempt of this call may have reached the server. */
  mayHaveTakenEffect = false;

  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(`${status} ${String(problem.code ?? "")}: ${String(problem.detail ?? "")}`);
    Object.assign(this, { code: "", detail: "", request_id: null }, problem, { status });
  }
}
