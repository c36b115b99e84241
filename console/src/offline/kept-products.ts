/** The products that a till sells without a connection, kept in the browser under the same owner as what was read. A database
 * of its own: adding a store to one that an older page has open would wait for that page. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";

export interface KeptProduct {
  id: number;
  /** As lists have it, without its description. */
  product: { id: number };
  /** When it was read. */
  at: number;
}

interface About {
  fingerprint: string;
  /** When all were read last; 0: never. */
  filledAt: number;
}

interface Store extends DBSchema {
  about: { key: string; value: About };
  products: { key: number; value: KeptProduct };
}

const STORES = ["about", "products"] as const;

let opened: Promise<IDBPDatabase<Store>> | undefined;
let mine = "";

function database(): Promise<IDBPDatabase<Store>> {
  opened ??= openDB<Store>("stockbuddy-till", 1, {
    upgrade: (created) => {
      created.createObjectStore("about");
      created.createObjectStore("products", { keyPath: "id" });
    },
  });
  return opened;
}

/** The user, and what they may do, for whom products are kept at present; empty: without a session. */
export const currentOwner = (): string => mine;

/** A transaction of the owner; undefined if they have logged out, or another one in, in this tab or another. */
async function begin(owner: string) {
  const transaction = (await database()).transaction(STORES, "readwrite");
  const about = await transaction.objectStore("about").get("about");
  return owner !== "" && owner === mine && about?.fingerprint === owner ? { transaction, about } : undefined;
}

/** Those of another user, or with other permissions, are forgotten. */
export async function claimProducts(fingerprint: string): Promise<void> {
  mine = fingerprint;
  const transaction = (await database()).transaction(STORES, "readwrite");
  const about = await transaction.objectStore("about").get("about");
  if (about?.fingerprint !== mine) {
    await transaction.objectStore("products").clear();
    await transaction.objectStore("about").put({ fingerprint: mine, filledAt: 0 }, "about");
  }
  await transaction.done;
}

/** Without a connection: the kept session goes on. */
export function resumeProducts(fingerprint: string): void {
  mine = fingerprint;
}

export async function forgetProducts(): Promise<void> {
  mine = "";
  const transaction = (await database()).transaction(STORES, "readwrite");
  await Promise.all(STORES.map((name) => transaction.objectStore(name).clear()));
  await transaction.done;
}

export async function keepProducts(owner: string, products: { id: number }[]): Promise<void> {
  const begun = await begin(owner);
  const at = Date.now();
  await Promise.all(products.map((product) => begun?.transaction.objectStore("products").put({ id: product.id, product, at })));
  await begun?.transaction.done;
}

export async function dropProduct(owner: string, id: number): Promise<void> {
  const begun = await begin(owner);
  await begun?.transaction.objectStore("products").delete(id);
  await begun?.transaction.done;
}

/** All were read since `start`: those that were not are no longer sold, or too many. */
export async function finishFilling(owner: string, start: number): Promise<void> {
  const begun = await begin(owner);
  if (begun === undefined) return;
  const products = begun.transaction.objectStore("products");
  const old = (await products.getAll()).filter(({ at }) => at < start);
  await Promise.all(old.map(({ id }) => products.delete(id)));
  await begun.transaction.objectStore("about").put({ ...begun.about, filledAt: start }, "about");
  await begun.transaction.done;
}

/** When all products were read last; 0: never. */
export async function lastFilling(): Promise<number> {
  const about = await (await database()).get("about", "about");
  return about?.fingerprint === mine ? about.filledAt : 0;
}

export async function findKeptProducts(): Promise<KeptProduct[]> {
  const begun = await begin(mine);
  return begun?.transaction.objectStore("products").getAll() ?? [];
}
