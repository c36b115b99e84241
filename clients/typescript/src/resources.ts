/** Resources and lists: one class for all of them, typed by what they contain. */
import { PreconditionFailed } from "./errors.js";
import { agrees } from "./exact.js";
import { etagOf, type Query, type Transport } from "./transport.js";

export interface Page<Listed> {
  items: Listed[];
  total: number;
  next_cursor: string | null;
}

const MAX_PAGE_SIZE = 100;

/** A list of the API: iterate over its items, or over `pages()`; both follow the cursor. */
export class Listing<Listed> implements AsyncIterable<Listed> {
  #total: number | undefined;
  readonly #query: Query;

  constructor(
    private readonly transport: Transport,
    private readonly path: string,
    query: Query,
  ) {
    this.#query = { page_size: MAX_PAGE_SIZE, ...query };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Listed> {
    for await (const page of this.pages()) yield* page.items;
  }

  /** The pages as the API returns them. */
  async *pages(): AsyncGenerator<Page<Listed>> {
    for (let query = this.#query; ; ) {
      const page = (await this.transport.request("GET", this.path, { query })) as Page<Listed>;
      this.#total = page.total;
      yield page;
      if (page.next_cursor === null) return;
      const { page: _, sort_by: __, ...filters } = this.#query;
      query = { ...filters, cursor: page.next_cursor };
    }
  }

  /** The number of items in the whole list. */
  async total(): Promise<number> {
    if (this.#total === undefined) {
      const query = { ...this.#query, page_size: 1 };
      this.#total = ((await this.transport.request("GET", this.path, { query })) as Page<Listed>).total;
    }
    return this.#total;
  }
}

type Target<Item> = Item | number;

/**
 * The objects at one path. Where a method takes an object or an id, the object's entity tag makes the write conditional:
 * it fails with `PreconditionFailed` if the object was changed since it was read.
 */
export class Resource<Item, Listed, Create, Update, Filters = Query> {
  constructor(
    private readonly transport: Transport,
    private readonly path: string,
  ) {}

  list(filters?: Filters): Listing<Listed> {
    return new Listing(this.transport, this.path, (filters ?? {}) as Query);
  }

  /** `id`: or a path below the resource, such as `by-sku/MUG`. */
  async get(id: number | string, query: Query = {}): Promise<Item> {
    return (await this.transport.request("GET", this.#url(id), { query })) as Item;
  }

  async create(body: Create, options: { idempotencyKey?: string } = {}): Promise<Item> {
    return (await this.transport.request("POST", this.path, { body, ...options })) as Item;
  }

  /**
   * Change the given fields. A lost response is not an error: if the object already is as wanted, it is returned.
   * Throws PreconditionFailed with the object's `current` state.
   */
  async update(target: Target<Item>, changes: Update, options: { ifMatch?: string } = {}): Promise<Item> {
    const url = this.#url(idOf(target));
    try {
      return (await this.transport.request("PATCH", url, { body: changes, headers: condition(target, options.ifMatch) })) as Item;
    } catch (error) {
      if (!(error instanceof PreconditionFailed)) throw error;
      error.current = await this.transport.request("GET", url);
      if (error.mayHaveTakenEffect && agrees(error.current, changes)) return error.current as Item;
      throw error;
    }
  }

  /** Throws PreconditionFailed with the object's `current` state. */
  async delete(target: Target<Item>, options: { ifMatch?: string } = {}): Promise<void> {
    const url = this.#url(idOf(target));
    try {
      await this.transport.request("DELETE", url, { headers: condition(target, options.ifMatch) });
    } catch (error) {
      if (error instanceof PreconditionFailed) error.current = await this.transport.request("GET", url);
      throw error;
    }
  }

  /** `POST …/{id}/{name}`: `client.sales.action(sale, "void")`. */
  async action(target: Target<Item>, name: string, body?: unknown, options: { idempotencyKey?: string } = {}): Promise<unknown> {
    return this.transport.request("POST", `${this.#url(idOf(target))}/${name}`, { body, ...options });
  }

  #url(id: number | string): string {
    return `${this.path}/${encodeURIComponent(String(id)).replaceAll("%2F", "/")}`;
  }
}

function idOf(target: unknown): number {
  return typeof target === "object" && target !== null ? (target as { id: number }).id : (target as number);
}

function condition(target: unknown, ifMatch: string | undefined): Record<string, string> {
  const etag = ifMatch ?? etagOf(target);
  return etag === undefined ? {} : { "If-Match": etag };
}
