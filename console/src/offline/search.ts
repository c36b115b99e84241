/** Searches in what the device has read last, while the server can't be reached. */
import type { ProductItem } from "../app/product-codes.ts";
import { findKeptItems } from "./kept-reads.ts";

interface Coded {
  sku: string;
  barcodes: string[];
}

const normal = (code: string): string => code.trim().toLowerCase().replace(/^0+(?=\d)/, "");

export function hasCode(product: Coded, code: string): boolean {
  return [product.sku, ...product.barcodes].some((one) => normal(one) === normal(code));
}

/** The kept product with this barcode or SKU. */
export async function findKeptProduct(code: string): Promise<ProductItem | undefined> {
  return (await findKeptItems<ProductItem>("/products")).find((product) => hasCode(product, code));
}

/** Up to `limit` kept items of a list that contain all words of the term. */
export async function searchKept<Item extends { id: number }>(path: string, term: string, limit: number): Promise<Item[]> {
  const words = term.toLowerCase().split(/\s+/).filter(Boolean);
  const items = await findKeptItems<Item>(path);
  return items.filter((item) => words.every((word) => textOf(item).includes(word))).slice(0, limit);
}

/** Fields in whose digits a number is found by accident. */
const NOT_SEARCHED = /_(at|price|url)$/;

function textOf(item: object): string {
  const found = Object.entries(item).filter(([name, value]) => !NOT_SEARCHED.test(name) && (typeof value === "string" || Array.isArray(value)));
  return found.map(([, value]) => value).join(" ").toLowerCase();
}
