/** How many labels of which products, as the address has it: `17*3,18` is three of 17 and one of 18. */

export type LabelOrder = ReadonlyMap<number, number>;

/** Each is read from the server. */
const MAX_PRODUCTS = 60;
const MAX_COPIES = 500;

export function readOrder(text: string): LabelOrder {
  const order = new Map<number, number>();
  for (const [, id, copies] of text.matchAll(/(\d+)(?:\*(\d+))?/g)) {
    if (order.size < MAX_PRODUCTS) order.set(Number(id), Math.min(MAX_COPIES, Number(copies ?? 1)));
  }
  return order;
}

export const writeOrder = (order: LabelOrder): string => [...order].map(([id, copies]) => (copies === 1 ? String(id) : `${id}*${copies}`)).join(",");

export const withCopies = (order: LabelOrder, id: number, copies: number): LabelOrder => new Map([...order, [id, Math.min(MAX_COPIES, copies)]]);

/** Whole labels for a quantity: also for a part of a unit. */
export const copiesOf = (quantity: string): number => Math.min(MAX_COPIES, Math.max(0, Math.ceil(Number(quantity) || 0)));

/** The address of the page. */
export const labelsSearch = (lines: { id: number; copies: number }[]): { products: string } => ({ products: writeOrder(new Map(lines.map(({ id, copies }) => [id, copies]))) });
