/** Sends requests: credentials, idempotency keys, retries until one deadline, errors by their code. */
import { Authenticator, type Credentials, type Tokens } from "./authenticator.js";
import { errorClass } from "./errors.js";
import { decode, quoteQuantities } from "./exact.js";
import { ApiError, ConnectionFailed, DeadlineExceeded, InvalidResponse, type Problem } from "./problems.js";
import { delaySeconds, KEY_HEADER, mayRepeat, newKey, RETRIED_STATUSES, type Retry, retryAfterSeconds, sleep } from "./retries.js";

export const API_PREFIX = "/api/v1";
const DEFAULT_TIMEOUT_SECONDS = 30;
const NOT_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "UND_ERR_CONNECT_TIMEOUT"]);

export interface ClientOptions {
  credentials?: Credentials;
  /** Of a whole call, retries included; 30 by default. */
  timeoutSeconds?: number;
  /** Called before each retry. */
  onRetry?: (retry: Retry) => void;
  fetch?: typeof globalThis.fetch;
}

export type Query = Record<string, string | number | boolean | null | undefined | readonly (string | number)[]>;

export interface CallOptions {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  /** To repeat a POST safely in another process; otherwise a new one. */
  idempotencyKey?: string;
  timeoutSeconds?: number;
}

interface Call {
  method: string;
  url: string;
  headers: Headers;
  body: ArrayBuffer | string | undefined;
  /** On the clock of `performance`, in milliseconds. */
  deadline: number;
  isAnonymous: boolean;
}

interface Reply {
  status: number;
  headers: Headers;
  content: ArrayBuffer;
}

const etags = Symbol("etag");

/** The entity tag of an object that `get`, `create` or `update` returned; undefined for an item of a list. */
export function etagOf(record: unknown): string | undefined {
  return typeof record === "object" && record !== null ? (record as { [etags]?: string })[etags] : undefined;
}

export class Transport {
  readonly authenticator: Authenticator;
  readonly baseUrl: string;
  readonly #timeoutSeconds: number;
  readonly #fetch: typeof globalThis.fetch;
  readonly #onRetry: ((retry: Retry) => void) | undefined;

  constructor(baseUrl: string, options: ClientOptions) {
    this.baseUrl = baseUrl.replace(/\/+$/, "");
    this.#timeoutSeconds = options.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#onRetry = options.onRetry;
    this.authenticator = new Authenticator(options.credentials, async (path, body, isForm) => {
      const content = isForm ? new URLSearchParams(body as Record<string, string>).toString() : JSON.stringify(body);
      const type = isForm ? "application/x-www-form-urlencoded" : "application/json";
      return toValue(await this.#send(this.#newCall("POST", API_PREFIX + path, content, { "Content-Type": type }, true))) as Tokens;
    });
  }

  /** Send a request and return the JSON of its response. `path`: relative to `/api/v1`. */
  async request(method: string, path: string, options: CallOptions = {}): Promise<unknown> {
    const headers: Record<string, string> = { ...options.headers };
    const isRaw = options.body instanceof ArrayBuffer || typeof options.body === "string";
    const body = options.body === undefined || isRaw ? (options.body as string | undefined) : JSON.stringify(options.body);
    if (body !== undefined && !isRaw) headers["Content-Type"] = "application/json";
    if (options.idempotencyKey !== undefined) headers[KEY_HEADER] = options.idempotencyKey;
    const call = this.#newCall(method, API_PREFIX + path + toQuery(options.query ?? {}), body, headers, false, options.timeoutSeconds);
    return toValue(await this.#send(call));
  }

  /** A login: without credentials, never repeated once it was sent. */
  async requestAnonymously(path: string, body: unknown): Promise<unknown> {
    const call = this.#newCall("POST", API_PREFIX + path, JSON.stringify(body), { "Content-Type": "application/json" }, true);
    return toValue(await this.#send(call));
  }

  /** `fetch` for openapi-fetch. Throws instead of returning an error; quantities in JSON are strings. */
  readonly fetch = async (request: Request): Promise<Response> => {
    const url = request.url.startsWith(this.baseUrl) ? request.url.slice(this.baseUrl.length) : request.url;
    const body = request.body === null ? undefined : await request.arrayBuffer();
    const reply = await this.#send(this.#newCall(request.method, url, body, Object.fromEntries(request.headers), false));
    const isJson = reply.headers.get("content-type")?.includes("json");
    const content = isJson ? quoteQuantities(new TextDecoder().decode(reply.content)) : reply.content;
    const headers = new Headers(reply.headers);
    for (const name of ["content-length", "content-encoding"]) headers.delete(name);
    return new Response(reply.status === 204 || reply.status === 304 ? null : content, { status: reply.status, headers });
  };

  /** The body of an endless response, without retries. A pause of `idleSeconds` ends it with an error. */
  async *stream(path: string, query: Query, idleSeconds: number): AsyncGenerator<string> {
    const own = await this.authenticator.headers("GET");
    const abort = new AbortController();
    let timer = setTimeout(() => abort.abort(), idleSeconds * 1000);
    try {
      const headers = { Accept: "text/event-stream", ...own };
      const url = this.baseUrl + API_PREFIX + path + toQuery(query);
      const response = await this.#fetch(url, { headers, signal: abort.signal, credentials: "same-origin" });
      if (response.status !== 200) throw toError(await readReply(response));
      if (!response.headers.get("content-type")?.startsWith("text/event-stream") || !response.body) {
        throw new InvalidResponse("the response is no event stream");
      }
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        clearTimeout(timer);
        timer = setTimeout(() => abort.abort(), idleSeconds * 1000);
        yield part.value;
      }
    } catch (error) {
      if (error instanceof ApiError || error instanceof InvalidResponse) throw error;
      throw new ConnectionFailed(`the stream ended: ${String(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
  }

  #newCall(
    method: string, path: string, body: ArrayBuffer | string | undefined, headers: Record<string, string>, isAnonymous: boolean,
    timeoutSeconds = this.#timeoutSeconds,
  ): Call {
    const all = new Headers({ Accept: "application/json", ...headers });
    if (method === "POST" && !isAnonymous && !all.has(KEY_HEADER)) all.set(KEY_HEADER, newKey());
    const deadline = performance.now() + timeoutSeconds * 1000;
    return { method, url: this.baseUrl + path, headers: all, body, deadline, isAnonymous };
  }

  /** Repeat until the request succeeds, must not be repeated, or its deadline passes. */
  async #send(call: Call): Promise<Reply> {
    let sentBefore = false;
    let renewed = false;
    for (let attempt = 0; ; ) {
      let failure: ApiError | ConnectionFailed;
      let isTransient = true;
      let canRepeat = mayRepeat(call.method, call.headers);
      let retryAfter: number | undefined;
      const headers = new Headers(call.headers);
      const own = call.isAnonymous ? {} : await this.authenticator.headers(call.method);
      for (const [name, value] of Object.entries(own)) headers.set(name, value);
      const reply = await this.#attempt(call, headers);
      if (reply instanceof ConnectionFailed) {
        failure = reply;
        canRepeat ||= !reply.mayHaveTakenEffect;
        sentBefore ||= reply.mayHaveTakenEffect;
      } else {
        if (reply.status < 400) return reply;
        if (reply.status === 401 && !call.isAnonymous && !renewed) {
          renewed = await this.authenticator.renew(headers.get("Authorization"));
          if (renewed) continue;
        }
        if (reply.status === 404 && call.method === "DELETE" && sentBefore) return { ...reply, status: 204, content: new ArrayBuffer(0) };
        failure = toError(reply);
        failure.mayHaveTakenEffect = sentBefore;
        isTransient = RETRIED_STATUSES.has(reply.status);
        sentBefore ||= reply.status > 500;
        retryAfter = retryAfterSeconds(reply.headers.get("retry-after"));
      }
      const delay = delaySeconds(attempt++, retryAfter);
      if (!isTransient || !canRepeat || performance.now() + delay * 1000 >= call.deadline) throw failure;
      this.#onRetry?.({ method: call.method, url: call.url, attempt, delaySeconds: delay, reason: failure });
      await sleep(delay);
    }
  }

  async #attempt(call: Call, headers: Headers): Promise<Reply | ConnectionFailed> {
    const remaining = call.deadline - performance.now();
    if (remaining <= 0) return new DeadlineExceeded("the deadline passed before the request was sent");
    try {
      const signal = AbortSignal.timeout(Math.ceil(remaining));
      const init: RequestInit = { method: call.method, headers, redirect: "manual", credentials: "same-origin", signal };
      return await readReply(await this.#fetch(call.url, call.body === undefined ? init : { ...init, body: call.body }));
    } catch (error) {
      const Kind = performance.now() >= call.deadline ? DeadlineExceeded : ConnectionFailed;
      const failure = new Kind(`${call.method} ${call.url}: ${String(error)}`, { cause: error });
      failure.mayHaveTakenEffect = !NOT_SENT.has(codeOf(error));
      return failure;
    }
  }
}

function codeOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string; errors?: { code?: string }[] } }).cause;
  return cause?.code ?? cause?.errors?.[0]?.code ?? "";
}

async function readReply(response: Response): Promise<Reply> {
  return { status: response.status, headers: response.headers, content: await response.arrayBuffer() };
}

/** The JSON body; an object carries its entity tag. Undefined without a body, bytes of another media type. */
function toValue(reply: Reply): unknown {
  if (reply.content.byteLength === 0) return undefined;
  const mediaType = reply.headers.get("content-type") ?? "";
  if (mediaType.startsWith("text/html")) throw new InvalidResponse("the response is a page for people; does another server respond?");
  if (!mediaType.includes("json")) return reply.content;
  let value: unknown;
  try {
    value = decode(new TextDecoder().decode(reply.content));
  } catch (error) {
    throw new InvalidResponse("the response is not JSON", { cause: error });
  }
  const etag = reply.headers.get("etag");
  if (etag !== null && typeof value === "object" && value !== null) Object.defineProperty(value, etags, { value: etag });
  return value;
}

function toError(reply: Reply): ApiError {
  let problem: Problem = {};
  try {
    const value = toValue(reply);
    problem = value instanceof ArrayBuffer ? { detail: new TextDecoder().decode(value).slice(0, 200) } : ((value ?? {}) as Problem);
  } catch {
    problem = { detail: "the response is not JSON" };
  }
  const Kind = errorClass(reply.status, problem.code);
  return new Kind(reply.status, { request_id: reply.headers.get("x-request-id"), ...problem });
}

/** A query string; undefined and null are left out, lists repeat the name. */
export function toQuery(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) parameters.append(name, String(one));
    }
  }
  return parameters.size ? `?${parameters}` : "";
}
