/** Events as they happen: server-sent events that resume, and the feed where no stream is possible. */
import { CursorAhead, TooManyStreams, Unauthenticated } from "./errors.js";
import type { EventData } from "./eventTypes.js";
import { decode } from "./exact.js";
import { ApiError, ConnectionFailed, InvalidResponse } from "./problems.js";
import { delaySeconds, RETRIED_STATUSES, sleep } from "./retries.js";
import type { Transport } from "./transport.js";

interface Envelope<Type extends string, Data> {
  id: string;
  type: Type;
  source: string;
  subject?: string;
  time: string;
  data: Data;
}
/** A CloudEvent; `type` determines the type of its `data`. */
export type StockbuddyEvent =
  | { [Type in keyof EventData]: Envelope<Type, EventData[Type]> }[keyof EventData]
  | { type: "stream.reset"; data: { head: string } };

interface EventPage {
  items: StockbuddyEvent[];
  next_cursor: string;
}

const IDLE_SECONDS = 45;
const MAX_STREAM_FAILURES = 2;
/** How long the feed is read before the stream is tried again. */
const FEED_SECONDS = 60;
const FEED_WAIT_SECONDS = 10;
const POLL_INTERVAL_SECONDS = 2;
const STREAM_REFUSED = new Set([404, 405, 406, 501, ...RETRIED_STATUSES]);
const DEFAULT_TYPES = "stock.*,notifications.notification.*";
const BEYOND_THE_HEAD = "9".repeat(18);

export class Events {
  constructor(private readonly transport: Transport) {}

  /** `after`: a cursor, or undefined for what happens from now on. `types`: patterns such as `stock.*`. */
  stream(options: { after?: string; types?: readonly string[] } = {}): EventStream {
    return new EventStream(this.transport, options.after, options.types?.join(","));
  }
}

/**
 * Iterate over its events, each at least once and in order. `cursor` is the position after the last event: store it after
 * the event has been handled. An event of the type `stream.reset` means that the server was restored from a backup.
 */
export class EventStream implements AsyncIterable<StockbuddyEvent> {
  #feedWait = FEED_WAIT_SECONDS;
  #renewed: string | undefined;

  constructor(
    private readonly transport: Transport,
    public cursor: string | undefined,
    private readonly types: string | undefined,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<StockbuddyEvent> {
    for (let failures = 0; ; ) {
      try {
        for await (const event of this.#readStream()) {
          failures = 0;
          yield event;
        }
        failures = 0;
      } catch (error) {
        if (error instanceof Unauthenticated) {
          await this.#renew(error);
          continue;
        }
        failures += failuresOf(error);
      }
      if (failures >= MAX_STREAM_FAILURES) yield* this.#readFeed();
      await sleep(delaySeconds(failures, undefined));
    }
  }

  /** The access token of a stream that is open for long has expired. A second refusal in a row is final. */
  async #renew(error: Unauthenticated): Promise<void> {
    const rejected = (await this.transport.authenticator.headers("GET")).Authorization;
    if (rejected === this.#renewed || !(await this.transport.authenticator.renew(rejected ?? null))) throw error;
    this.#renewed = (await this.transport.authenticator.headers("GET")).Authorization;
  }

  async *#readStream(): AsyncGenerator<StockbuddyEvent> {
    let rest = "";
    for await (const part of this.transport.stream("/stream", { after: this.cursor, types: this.types }, IDLE_SECONDS)) {
      const frames = (rest + part).split("\n");
      rest = frames.pop()!;
      for (const line of frames) yield* this.#readLine(line);
    }
  }

  #id = "";
  #data = "";

  /** A line of server-sent events. The comment at the beginning has the start position. */
  *#readLine(line: string): Generator<StockbuddyEvent> {
    const value = line.slice(line.indexOf(":") + 1).replace(/^ /, "");
    if (line.startsWith(":") && value.startsWith("id ")) this.cursor ??= value.slice(3);
    else if (line.startsWith("id:")) this.#id = value;
    else if (line.startsWith("data:")) this.#data += value;
    else if (line === "" && this.#data) {
      const event = decode(this.#data) as StockbuddyEvent & { head?: string };
      this.#data = "";
      this.cursor = this.#id;
      yield event.head === undefined ? event : reset(event.head);
    }
  }

  async *#readFeed(): AsyncGenerator<StockbuddyEvent> {
    const until = performance.now() + FEED_SECONDS * 1000;
    while (performance.now() < until) {
      const query = { after: this.cursor ?? BEYOND_THE_HEAD, types: this.types ?? DEFAULT_TYPES, wait: this.#feedWait };
      try {
        const page = (await this.transport.request("GET", "/events", { query })) as EventPage;
        yield* page.items;
        this.cursor = page.next_cursor;
        if (page.items.length || this.#feedWait) continue;
      } catch (error) {
        if (error instanceof CursorAhead) {
          const isReset = this.cursor !== undefined;
          this.cursor = error.head;
          if (isReset) yield reset(error.head);
          continue;
        }
        if (!(error instanceof TooManyStreams)) throw error;
        this.#feedWait = 0;
      }
      await sleep(POLL_INTERVAL_SECONDS);
    }
  }
}

/** How much an error counts until the feed is read instead. Throws what neither of them can cure. */
function failuresOf(error: unknown): number {
  if (error instanceof ConnectionFailed) return 1;
  if (error instanceof InvalidResponse || (error instanceof ApiError && STREAM_REFUSED.has(error.status))) return MAX_STREAM_FAILURES;
  throw error;
}

function reset(head: string): StockbuddyEvent {
  return { type: "stream.reset", data: { head } };
}
