/** A code in front of a camera. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeenCodes } from "./seen-codes.ts";

test("a code that stays in view counts once, and again after it was away", () => {
  const seen = new SeenCodes();
  assert.deepEqual([0, 200, 1300, 2400].map((at) => seen.see(["A"], at)), [["A"], [], [], []]);
  assert.deepEqual(seen.see([], 3000), []);
  assert.deepEqual(seen.see(["A"], 3700), ["A"]);
});

test("codes beside each other count each, one that is read twice in a picture once", () => {
  assert.deepEqual(new SeenCodes().see(["A", "B", "A"], 0), ["A", "B"]);
});

test("a code that was away for 1.2 seconds counts again, a moment less is one look", () => {
  const seen = new SeenCodes();
  assert.deepEqual([0, 1200, 2401].map((at) => seen.see(["A"], at)), [["A"], [], ["A"]]);
});
