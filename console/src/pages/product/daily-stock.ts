/** A product's stock by day, computed backwards from the stock now. */

export interface Moved {
  /** The company's day, as `2024-06-30`. */
  day: string;
  /** Negative for what went out. */
  quantity: number;
}

export interface DayOfStock {
  day: string;
  /** At the end of the day. */
  stock: number;
  received: number;
  taken: number;
}

/** `moved`: newest first, all since `first`. The first and the last day are there even if nothing was moved on them. */
export function dailyStock(moved: Moved[], stockNow: number, first: string, last: string): DayOfStock[] {
  const days = new Map<string, DayOfStock>();
  let stock = stockNow;
  const at = (day: string): DayOfStock => {
    const known = days.get(day) ?? { day, stock, received: 0, taken: 0 };
    days.set(day, known);
    return known;
  };
  at(last);
  for (const { day, quantity } of moved) {
    const totals = at(day);
    if (quantity > 0) totals.received += quantity;
    else totals.taken -= quantity;
    stock -= quantity;
  }
  at(first);
  return [...days.values()].sort((a, b) => (a.day < b.day ? -1 : 1));
}

export const RANGES = [30, 90, 365] as const;
const MIN_MOVEMENTS = 5;

/** The shortest range, in days, with enough movements to look at; 0 is all time. `daysAgo`: of the movements. */
export function sensibleRange(daysAgo: number[]): number {
  const wanted = Math.min(MIN_MOVEMENTS, daysAgo.length);
  return RANGES.find((range) => daysAgo.filter((days) => days < range).length >= wanted) ?? 0;
}
