/** The Stockbuddy API: `createStockbuddy`. */
import createClient, { type Client as OpenApiClient } from "openapi-fetch";
import type { Credentials, Tokens } from "./authenticator.js";
import { Events } from "./events.js";
import { Listing, Resource } from "./resources.js";
import type { components, operations, paths } from "./schema.js";
import { type CallOptions, type ClientOptions, type Query, Transport } from "./transport.js";

export type { ApiKey, BrowserSession, ClientCredentials, Credentials, Session } from "./authenticator.js";
export * as errors from "./errors.js";
export type { EventStream, StockbuddyEvent } from "./events.js";
export { compare, type Exact, sum, times } from "./exact.js";
export { ApiError, ConnectionFailed, DeadlineExceeded, InvalidResponse, StockbuddyError } from "./problems.js";
export type { Listing, Page, Resource } from "./resources.js";
export type { Retry } from "./retries.js";
export { type CallOptions, type ClientOptions, etagOf } from "./transport.js";
export type { components, paths } from "./schema.js";

export type Schemas = components["schemas"];
type Filters<Name extends keyof operations> = NonNullable<operations[Name]["parameters"]["query"]>;

export class Stockbuddy {
  readonly #transport: Transport;
  /** Every operation of the API, typed: `client.api.GET("/api/v1/stock-levels", { params: { query: { low_stock: true } } })`. */
  readonly api: OpenApiClient<paths>;
  readonly events: Events;
  readonly products: Resource<Schemas["ProductResponse"], Schemas["ProductListItem"], Schemas["ProductCreate"], Schemas["ProductUpdate"], Filters<"list_products">>;
  readonly categories: Resource<Schemas["CategoryResponse"], Schemas["CategoryResponse"], Schemas["CategoryCreate"], Schemas["CategoryUpdate"], Filters<"list_categories">>;
  readonly suppliers: Resource<Schemas["SupplierResponse"], Schemas["SupplierResponse"], Schemas["SupplierCreate"], Schemas["SupplierUpdate"], Filters<"list_suppliers">>;
  readonly warehouses: Resource<Schemas["WarehouseResponse"], Schemas["WarehouseResponse"], Schemas["WarehouseCreate"], Schemas["WarehouseUpdate"], Filters<"list_warehouses">>;
  readonly stockMovements: Resource<Schemas["MovementResponse"], Schemas["MovementResponse"], Schemas["MovementCreate"], never, Filters<"list_movements">>;
  readonly stockTransfers: Resource<Schemas["TransferResponse"], Schemas["TransferResponse"], Schemas["TransferCreate"], never, Filters<"list_transfers">>;
  readonly stockCounts: Resource<Schemas["StockCountResponse"], Schemas["StockCountResponse"], Schemas["StockCountCreate"], never, Filters<"list_counts">>;
  readonly reservations: Resource<Schemas["ReservationResponse"], Schemas["ReservationResponse"], Schemas["ReservationCreate"], never, Filters<"list_reservations">>;
  readonly sales: Resource<Schemas["SaleResponse"], Schemas["SaleResponse"], Schemas["SaleCreate"], never, Filters<"list_sales">>;
  readonly customers: Resource<Schemas["CustomerResponse"], Schemas["CustomerResponse"], Schemas["CustomerCreate"], Schemas["CustomerUpdate"], Filters<"list_customers">>;
  readonly purchaseOrders: Resource<Schemas["PurchaseOrderResponse"], Schemas["PurchaseOrderResponse"], Schemas["PurchaseOrderCreate"], Schemas["PurchaseOrderUpdate"], Filters<"list_purchase_orders">>;
  readonly expenses: Resource<Schemas["ExpenseResponse"], Schemas["ExpenseResponse"], Schemas["ExpenseCreate"], Schemas["ExpenseUpdate"], Filters<"list_expenses">>;
  readonly webhooks: Resource<Schemas["WebhookCreateResponse"], Schemas["WebhookResponse"], Schemas["WebhookCreate"], Schemas["WebhookUpdate"], Filters<"list_webhooks">>;
  readonly users: Resource<Schemas["UserResponse"], Schemas["UserResponse"], never, Schemas["UserUpdate"], Filters<"list_users">>;
  readonly apiKeys: Resource<Schemas["ApiKeySecretResponse"], Schemas["ApiKeyResponse"], Schemas["ApiKeyCreate"], never, Filters<"list_api_keys">>;

  constructor(baseUrl: string, options: ClientOptions = {}) {
    const transport = (this.#transport = new Transport(baseUrl, options));
    this.api = createClient<paths>({ baseUrl: transport.baseUrl, fetch: transport.fetch });
    this.events = new Events(transport);
    this.products = new Resource(transport, "/products");
    this.categories = new Resource(transport, "/categories");
    this.suppliers = new Resource(transport, "/suppliers");
    this.warehouses = new Resource(transport, "/warehouses");
    this.stockMovements = new Resource(transport, "/stock-movements");
    this.stockTransfers = new Resource(transport, "/stock-transfers");
    this.stockCounts = new Resource(transport, "/stock-counts");
    this.reservations = new Resource(transport, "/reservations");
    this.sales = new Resource(transport, "/sales");
    this.customers = new Resource(transport, "/customers");
    this.purchaseOrders = new Resource(transport, "/purchase-orders");
    this.expenses = new Resource(transport, "/expenses");
    this.webhooks = new Resource(transport, "/webhooks");
    this.users = new Resource(transport, "/users");
    this.apiKeys = new Resource(transport, "/auth/api-keys");
  }

  /** Any call: `client.request("PUT", "/stock-levels", { body })`. */
  request(method: string, path: string, options?: CallOptions): Promise<unknown> {
    return this.#transport.request(method, path, options);
  }

  /** Any list: `client.list("/stock-levels", { low_stock: true })`. */
  list(path: string, filters: Query = {}): Listing<unknown> {
    return new Listing(this.#transport, path, filters);
  }

  /**
   * Replace the credentials with a session, which is renewed as long as it lasts. Throws errors.SecondFactorRequired for a user
   * with a second factor: continue with `completeLogin`.
   */
  login(username: string, password: string): Promise<Schemas["UserResponse"]> {
    return this.#logIn("/auth/login", { username, password });
  }

  /**
   * The second step. `challenge`: that of the error, for five minutes; `code`: of the authenticator app, or a recovery code.
   * Throws errors.InvalidSecondFactor, after which another code may be tried.
   */
  completeLogin(challenge: string, code: string): Promise<Schemas["UserResponse"]> {
    return this.#logIn("/auth/login/second-factor", { challenge, code });
  }

  async #logIn(path: string, body: Record<string, string>): Promise<Schemas["UserResponse"]> {
    const tokens = await this.#transport.requestAnonymously(path, body);
    this.#transport.authenticator.setTokens(tokens as Tokens);
    return (tokens as Schemas["TokenPairResponse"]).user;
  }

  /** End the session. */
  async logout(): Promise<void> {
    await this.#transport.request("POST", "/auth/logout");
    this.#transport.authenticator.forget();
  }

  /** The current ones; a `Session` may be stored and used again. */
  get credentials(): Credentials | undefined {
    return this.#transport.authenticator.credentials;
  }
}

/** A client of the API at this address: `createStockbuddy("https://shop.example", { credentials: { apiKey } })`. */
export function createStockbuddy(baseUrl: string, options?: ClientOptions): Stockbuddy {
  return new Stockbuddy(baseUrl, options);
}
