/** Products by the codes on their labels. */
import { read, type Schemas } from "./api.ts";

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
