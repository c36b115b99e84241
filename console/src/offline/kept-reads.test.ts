/** What no longer fits on the device. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { beyondLimits } from "./kept-reads.ts";

const DAY_MS = 86_400_000;

test("the oldest go when there are too many", () => {
  const sizes = Array.from({ length: 402 }, (_, index) => ({ hash: String(index), at: index, characters: 1 }));
  assert.deepEqual(beyondLimits(sizes, 402), ["1", "0"]);
});

test("the oldest go when they are too large together", () => {
  const sizes = [1, 2, 3].map((at) => ({ hash: String(at), at, characters: 3_000_000 }));
  assert.deepEqual(beyondLimits(sizes, 3), ["1"]);
});

test("what is older than a month goes", () => {
  const sizes = [{ hash: "old", at: 0, characters: 1 }, { hash: "new", at: 5 * DAY_MS, characters: 1 }];
  assert.deepEqual(beyondLimits(sizes, 31 * DAY_MS), ["old"]);
});
