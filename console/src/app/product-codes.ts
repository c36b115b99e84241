/** Products by the codes on their labels. */
import { findKeptProduct } from "../offline/search.ts";
import { isUnreachable, read, type Schemas } from "./api.ts";
import { isDisconnected } from "./live.ts";

export type ProductItem = Schemas["ProductListItem"];

/** The product with this barcode or SKU; undefined if there is none. */
export async function findByCode(code: string): Promise<ProductItem | undefined> {
  for (const kind of ["by-barcode", "by-sku"]) {
    try {
      return await read<ProductItem>(`/products/${kind}/${encodeURIComponent(code)}`);
    } catch (error) {
      const { status } = error as { status?: number };
      if (status !== 404 && status !== 422) throw error;
    }
  }
  return undefined;
}

/** The same for people at work: without a connection, what the device has read last. */
export async function lookUp(code: string): Promise<ProductItem | undefined> {
  const kept = isDisconnected() ? await findKeptProduct(code) : undefined;
  if (kept) return kept;
  try {
    return await findByCode(code);
  } catch (error) {
    const found = isUnreachable(error) ? await findKeptProduct(code) : undefined;
    if (found) return found;
    throw error;
  }
}
