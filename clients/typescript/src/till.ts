/** The till: sales are stored on the device first, and delivered once and in order when the server can be reached. */
import type { Credentials } from "./authenticator.js";
import type { Stockbuddy } from "./index.js";
import { ApiError, StockbuddyError } from "./problems.js";
import { type QueuedSale, type Sale, SaleQueue, type State } from "./saleQueue.js";

export { NotQueued, type QueuedSale } from "./saleQueue.js";

/** Statuses that concern one sale; others, such as 401 and 503, would concern the next one as well. */
const REFUSALS = new Set([400, 403, 404, 409, 413, 422]);
const JSON_BODY = { "Content-Type": "application/json" };

/** How many sales `deliver` delivered and set aside. `stoppedBy`: why others still wait; undefined if none does. */
export interface Delivery {
  delivered: number;
  refused: number;
  stoppedBy: StockbuddyError | undefined;
}

export interface TillOptions {
  /** Required if one origin has several tills: each has a name of its own. */
  name?: string;
  /** The id of the user whose browser session the client has; unnecessary with other credentials. */
  user?: () => number | string;
}

/**
 * A sale belongs to the user whose credentials the client has when the sale is made: `deliver` leaves those of other users
 * waiting. Tabs of one origin share the till.
 */
export class Till {
  #delivery: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly client: Stockbuddy,
    private readonly queue: SaleQueue,
    private readonly options: TillOptions,
  ) {}

  static async open(client: Stockbuddy, options: TillOptions = {}): Promise<Till> {
    return new Till(client, await SaleQueue.open(options.name ?? "till"), options);
  }

  /**
   * Store a sale, also offline. It survives a crash once this returns. The till sets its `reference`, for the receipt, and its
   * `occurred_at` unless it is given.
   */
  async sell(sale: Omit<Sale, "reference">): Promise<QueuedSale> {
    if ("reference" in sale) throw new RangeError("the till sets the reference");
    return this.queue.add(sale, this.#owner());
  }

  /**
   * Post the waiting sales, oldest first, until none is left or the server cannot be reached. A refused sale is set aside and the
   * next one follows.
   */
  async deliver(): Promise<Delivery> {
    const name = `stockbuddy-till-${this.options.name ?? "till"}`;
    // Pages without HTTPS have no locks; their tabs send equal keys.
    const locked = async () => (globalThis.navigator?.locks ? await navigator.locks.request(name, () => this.#deliver()) : this.#deliver());
    const delivery = this.#delivery.then(locked);
    this.#delivery = delivery.catch(() => undefined);
    return delivery;
  }

  async #deliver(): Promise<Delivery> {
    const done: Delivery = { delivered: 0, refused: 0, stoppedBy: undefined };
    for (let sale = await this.queue.findNext(this.#owner()); sale; sale = await this.queue.findNext(this.#owner())) {
      try {
        await this.queue.settle(sale, "delivered", await this.#post(sale));
        done.delivered++;
      } catch (error) {
        if (!(error instanceof StockbuddyError)) throw error;
        if (!(error instanceof ApiError && REFUSALS.has(error.status))) return { ...done, stoppedBy: error };
        await this.queue.settle(sale, "refused", { ...error.problem, status: error.status });
        done.refused++;
      }
    }
    return done;
  }

  /**
   * Post a sale unless the server has it from an earlier attempt whose response was lost. The key alone does not show that: it
   * expires, and it belongs to the user who sent it.
   */
  async #post(sale: QueuedSale): Promise<NonNullable<QueuedSale["result"]>> {
    if (sale.sentAt !== undefined) {
      for await (const found of this.client.sales.list({ search: sale.reference })) {
        if (found.reference === sale.reference) return found;
      }
    }
    await this.queue.markSent(sale);
    const options = { body: sale.content, headers: JSON_BODY, idempotencyKey: sale.key };
    return (await this.client.request("POST", "/sales", options)) as NonNullable<QueuedSale["result"]>;
  }

  /** The sales in this state, oldest first. Delivered ones are kept for 30 days. */
  sales(state?: State): Promise<QueuedSale[]> {
    return this.queue.listSales(state);
  }

  /**
   * Let the current user deliver a refused sale, or one of another user. Throws NotQueued, also for another user's sale that was
   * sent less than two minutes ago: the server may be about to accept it.
   */
  async retry(reference: string): Promise<void> {
    await this.queue.requeue(reference, this.#owner());
  }

  /** Delete a refused sale for good. Throws NotQueued for any other. */
  async discard(reference: string): Promise<void> {
    await this.queue.discard(reference);
  }

  close(): void {
    this.queue.close();
  }

  #owner(): string {
    const owner = this.options.user ? `user:${this.options.user()}` : ownerOf(this.client.credentials);
    if (owner === undefined) throw new StockbuddyError("log in before using the till: sales belong to a user");
    return owner;
  }
}

function ownerOf(credentials: Credentials | undefined): string | undefined {
  if (!credentials || "csrfToken" in credentials) return undefined;
  if ("apiKey" in credentials) return `key:${fingerprint(credentials.apiKey)}`;
  if ("clientId" in credentials) return `client:${credentials.clientId}`;
  const payload = credentials.accessToken.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/");
  return `user:${(JSON.parse(atob(payload)) as { sub: string }).sub}`;
}

/** Tells keys apart without storing them. FNV-1a: `crypto.subtle` does not exist on pages without HTTPS. */
function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16);
}
