/** The durable queue of a till: an IndexedDB database, in which each step of a sale is one transaction. */
import type { Problem } from "./problems.js";
import { StockbuddyError } from "./problems.js";
import { newKey } from "./retries.js";
import type { components } from "./schema.js";

export type State = "waiting" | "delivered" | "refused";
export type Sale = components["schemas"]["SaleCreate"];

/**
 * A sale of the till. `content`: the body of its request. `owner`: whose login delivers it. `sentAt`: when the latest attempt
 * began. `result`: the sale as delivered, or the problem why it was refused. Times are RFC 3339 in UTC.
 */
export interface QueuedSale {
  number: number;
  reference: string;
  key: string;
  owner: string;
  content: string;
  queuedAt: string;
  state: State;
  sentAt?: string;
  result?: components["schemas"]["SaleResponse"] | (Problem & { status: number; code?: string });
}

/** The till has no such sale in a state that the call accepts. */
export class NotQueued extends StockbuddyError {}

const KEPT_DAYS = 30;
/** How long the server may still work on a request whose response was lost. */
const SETTLING_SECONDS = 120;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HIGHEST = Infinity;

interface Counter {
  id: string;
  last: number;
}

export class SaleQueue {
  private constructor(private readonly database: IDBDatabase) {}

  static async open(name: string): Promise<SaleQueue> {
    const request = indexedDB.open(`stockbuddy-till-${name}`, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("counter").put({ id: randomText(8), last: 0 }, "till");
      const sales = request.result.createObjectStore("sales", { keyPath: "number" });
      sales.createIndex("reference", "reference", { unique: true });
      sales.createIndex("next", ["state", "owner", "number"]);
      sales.createIndex("state", ["state", "queuedAt"]);
    };
    const queue = new SaleQueue(await resultOf(request));
    queue.database.onversionchange = () => queue.close();
    await queue.#change((sales) => deleteDelivered(sales));
    return queue;
  }

  /** Store a sale with a reference and the current time. It is durable when this returns. */
  async add(sale: Sale, owner: string): Promise<QueuedSale> {
    const transaction = this.database.transaction(["counter", "sales"], "readwrite", { durability: "strict" });
    const done = completionOf(transaction);
    const counters = transaction.objectStore("counter");
    let queued: QueuedSale | undefined;
    counters.get("till").onsuccess = (event) => {
      const counter = (event.target as IDBRequest<Counter>).result;
      const number = counter.last + 1;
      const queuedAt = new Date().toISOString();
      const reference = `${counter.id}-${number}-${randomText(4)}`;
      const content = JSON.stringify({ occurred_at: queuedAt, ...sale, reference });
      queued = { number, reference, key: newKey(), owner, content, queuedAt, state: "waiting" };
      counters.put({ ...counter, last: number }, "till");
      transaction.objectStore("sales").add(queued);
    };
    await done;
    return queued!;
  }

  /** The oldest sale of this user that waits. */
  async findNext(owner: string): Promise<QueuedSale | undefined> {
    const range = IDBKeyRange.bound(["waiting", owner, 0], ["waiting", owner, HIGHEST]);
    return resultOf(this.database.transaction("sales").objectStore("sales").index("next").get(range));
  }

  /** Oldest first. */
  async listSales(state: State | undefined): Promise<QueuedSale[]> {
    const sales: QueuedSale[] = await resultOf(this.database.transaction("sales").objectStore("sales").getAll());
    return state === undefined ? sales : sales.filter((sale) => sale.state === state);
  }

  /** Record that the server may have the sale from now on. */
  markSent(sale: QueuedSale): Promise<void> {
    return this.#update(sale.reference, (stored) => ({ ...stored, sentAt: new Date().toISOString() }));
  }

  settle(sale: QueuedSale, state: State, result: NonNullable<QueuedSale["result"]>): Promise<void> {
    return this.#update(sale.reference, (stored) => (stored.state === "waiting" ? { ...stored, state, result } : stored));
  }

  /**
   * Let a user deliver a refused sale, or one of another user. Throws NotQueued for a delivered sale and for one of another user
   * that was sent within the last SETTLING_SECONDS, since the server may be about to accept it.
   */
  requeue(reference: string, owner: string): Promise<void> {
    const settled = new Date(Date.now() - SETTLING_SECONDS * 1000).toISOString();
    return this.#update(reference, ({ result: _, ...sale }) => {
      const isSettled = sale.owner === owner || sale.sentAt === undefined || sale.sentAt < settled;
      const canMove = sale.state === "refused" || (sale.state === "waiting" && isSettled);
      return canMove ? { ...sale, state: "waiting", owner } : undefined;
    });
  }

  /** Delete a refused sale. Throws NotQueued for any other. */
  discard(reference: string): Promise<void> {
    return this.#update(reference, (sale) => (sale.state === "refused" ? null : undefined));
  }

  /** `change` returns what to store, null to delete the sale, or undefined to reject the call. */
  async #update(reference: string, change: (sale: QueuedSale) => QueuedSale | null | undefined): Promise<void> {
    let isChanged = false;
    await this.#change((sales) => {
      sales.index("reference").get(reference).onsuccess = (event) => {
        const sale = (event.target as IDBRequest<QueuedSale | undefined>).result;
        const changed = sale && change(sale);
        isChanged = changed !== undefined;
        if (changed === null) sales.delete(sale!.number);
        else if (changed !== undefined) sales.put(changed);
      };
    });
    if (!isChanged) throw new NotQueued(reference);
  }

  async #change(work: (sales: IDBObjectStore) => void): Promise<void> {
    const transaction = this.database.transaction("sales", "readwrite", { durability: "strict" });
    const done = completionOf(transaction);
    work(transaction.objectStore("sales"));
    await done;
  }

  close(): void {
    this.database.close();
  }
}

function deleteDelivered(sales: IDBObjectStore): void {
  const oldest = new Date(Date.now() - KEPT_DAYS * 86_400_000).toISOString();
  sales.index("state").openCursor(IDBKeyRange.bound(["delivered", ""], ["delivered", oldest])).onsuccess = (event) => {
    const cursor = (event.target as IDBRequest<IDBCursorWithValue | null>).result;
    cursor?.delete();
    cursor?.continue();
  };
}

function resultOf<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error!);
  });
}

function completionOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new StockbuddyError("the database aborted the change"));
  });
}

function randomText(length: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => ALPHABET[byte % 32]).join("");
}
