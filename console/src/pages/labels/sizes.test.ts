/** The bars of labels. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReadable, moduleOn, type Size } from "./sizes.ts";

const SIZES: Size[] = ["small", "medium", "large", "roll"];
/** Of an image that is so many modules wide, with the white space beside the bars. */
const pixels = (modules: number): number => (modules * 0.33 * 96) / 25.4;

test("an EAN-13 fits every label, and is not enlarged", () => {
  assert.deepEqual(SIZES.map((size) => isReadable(size, pixels(117))), [true, true, true, true]);
  assert.equal(moduleOn("large", pixels(117)), 0.33);
});

test("a long code needs a larger label", () => {
  assert.deepEqual(SIZES.map((size) => isReadable(size, pixels(230))), [false, false, true, false]);
  assert.deepEqual(SIZES.map((size) => isReadable(size, pixels(400))), [false, false, false, false]);
});
