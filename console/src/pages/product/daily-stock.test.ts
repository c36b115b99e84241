/** The stock chart's data. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dailyStock, sensibleRange } from "./daily-stock.ts";

test("the stock at the end of each day is computed backwards, from the first day of the range to today", () => {
  const moved = [{ day: "2024-03-03", quantity: -2 }, { day: "2024-03-03", quantity: 5 }, { day: "2024-03-01", quantity: -1 }];
  assert.deepEqual(dailyStock(moved, 10, "2024-02-01", "2024-03-05"), [
    { day: "2024-02-01", stock: 8, received: 0, taken: 0 },
    { day: "2024-03-01", stock: 7, received: 0, taken: 1 },
    { day: "2024-03-03", stock: 10, received: 5, taken: 2 },
    { day: "2024-03-05", stock: 10, received: 0, taken: 0 },
  ]);
});

test("a product that was sold long ago is shown over all time, a busy one over a month", () => {
  assert.equal(sensibleRange([900, 901, 950, 951, 952, 953]), 0);
  assert.equal(sensibleRange([1, 2, 3, 4, 5, 400]), 30);
  assert.equal(sensibleRange([10, 80]), 90);
  assert.equal(sensibleRange([200]), 365);
});
