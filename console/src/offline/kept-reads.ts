/** What was read last, kept in the browser for times without a connection: of one user with their present permissions,
 * limited in number, size and age, and forgotten at logout. Nothing of the administration is kept. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { QueryKey } from "@tanstack/react-query";
import type { Session } from "../app/session.tsx";
import { claimProducts, findKeptProducts, forgetProducts, resumeProducts } from "./kept-products.ts";

const DATABASE = "stockbuddy-reads";
const MAX_READS = 400;
const MAX_CHARACTERS = 8_000_000;
const MAX_CHARACTERS_OF_ONE = 1_000_000;
const MAX_AGE_MS = 30 * 86_400_000;
/** First parts of keys: accounts, access and the system's own records do not belong on a disk. */
const NOT_KEPT = new Set(["session", "palette", "picker", "auth", "users", "roles", "permissions", "oauth", "audit-logs", "webhooks", "system-settings", "system", "events", "imports"]);

export interface KeptRead {
  hash: string;
  queryKey: QueryKey;
  data: unknown;
  /** When it was read. */
  at: number;
}

interface Owner {
  /** Of the user and what they may do: another one must not see what is kept. */
  fingerprint: string;
  session: Session;
  at: number;
}

interface Store extends DBSchema {
  owner: { key: string; value: Owner };
  reads: { key: string; value: KeptRead };
  sizes: { key: string; value: { hash: string; at: number; characters: number } };
}

const STORES = ["owner", "reads", "sizes"] as const;

let opened: Promise<IDBPDatabase<Store>> | undefined;
let mine = "";

function database(): Promise<IDBPDatabase<Store>> {
  opened ??= openDB<Store>(DATABASE, 1, {
    upgrade: (created) => {
      created.createObjectStore("owner");
      created.createObjectStore("reads", { keyPath: "hash" });
      created.createObjectStore("sizes", { keyPath: "hash" });
    },
  });
  return opened;
}

const fingerprintOf = ({ user }: Session): string => JSON.stringify([user.id, user.role, [...user.permissions].sort(), user.warehouse_ids]);

/** Begin to keep the reads of this session; those of another user, or with other permissions, are forgotten. */
export async function claimReads(session: Session): Promise<void> {
  mine = fingerprintOf(session);
  const transaction = (await database()).transaction(STORES, "readwrite");
  const earlier = await transaction.objectStore("owner").get("owner");
  if (earlier?.fingerprint !== mine) await Promise.all(STORES.map((name) => transaction.objectStore(name).clear()));
  await transaction.objectStore("owner").put({ fingerprint: mine, session, at: Date.now() }, "owner");
  await transaction.done;
  await claimProducts(mine);
}

export async function forgetReads(): Promise<void> {
  mine = "";
  const transaction = (await database()).transaction(STORES, "readwrite");
  await Promise.all(STORES.map((name) => transaction.objectStore(name).clear()));
  await transaction.done;
  await forgetProducts();
}

/** The session that was loaded last on this device, and when what is kept was last in step with the server. */
export async function findKeptSession(): Promise<{ session: Session; at: number } | undefined> {
  const owner = await (await database()).get("owner", "owner");
  if (owner !== undefined) {
    mine = owner.fingerprint;
    resumeProducts(mine);
  }
  return owner;
}

export async function keepRead(hash: string, queryKey: QueryKey, data: unknown): Promise<void> {
  if (mine === "" || NOT_KEPT.has(String(queryKey[0]))) return;
  const characters = JSON.stringify(data).length;
  if (characters > MAX_CHARACTERS_OF_ONE) return;
  const at = Date.now();
  const transaction = (await database()).transaction(STORES, "readwrite");
  const owner = await transaction.objectStore("owner").get("owner");
  if (owner?.fingerprint !== mine) return; // another tab has logged out or in meanwhile
  await transaction.objectStore("owner").put({ ...owner, at }, "owner");
  await transaction.objectStore("reads").put({ hash, queryKey, data, at });
  await transaction.objectStore("sizes").put({ hash, at, characters });
  for (const old of beyondLimits(await transaction.objectStore("sizes").getAll(), at)) {
    await transaction.objectStore("reads").delete(old);
    await transaction.objectStore("sizes").delete(old);
  }
  await transaction.done;
}

/** The hashes of what no longer fits, oldest first to go. */
export function beyondLimits(sizes: { hash: string; at: number; characters: number }[], now: number): string[] {
  let characters = 0;
  return [...sizes]
    .sort((a, b) => b.at - a.at)
    .filter((one, index) => {
      characters += one.characters;
      return index >= MAX_READS || characters > MAX_CHARACTERS || now - one.at > MAX_AGE_MS;
    })
    .map(({ hash }) => hash);
}

export async function findKept(hash: string): Promise<KeptRead | undefined> {
  return mine === "" ? undefined : (await database()).get("reads", hash);
}

/** The items of all kept lists, and the kept records, of a collection such as `/products`, with the products of a till;
 * each once, the newest. */
export async function findKeptItems<Item extends { id: number }>(path: string): Promise<Item[]> {
  if (mine === "") return [];
  const reads = (await (await database()).getAll("reads")).filter(({ queryKey }) => typeof queryKey[1] === "string" && belongsTo(path, queryKey[1]));
  const products = path === "/products" ? (await findKeptProducts()).map(({ product, at }) => ({ data: product as Item, at })) : [];
  const byId = new Map<number, Item>();
  for (const { data } of [...reads, ...products].sort((a, b) => a.at - b.at)) {
    const { items } = data as { items?: Item[] };
    for (const item of items ?? [data as Item]) byId.set(item.id, { ...byId.get(item.id), ...item });
  }
  return [...byId.values()];
}

const belongsTo = (path: string, read: string): boolean => read === path || /^\/\d+$/.test(read.startsWith(path) ? read.slice(path.length) : "");
