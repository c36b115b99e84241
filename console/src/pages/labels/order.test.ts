/** Labels in the address. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { copiesOf, labelsSearch, readOrder, writeOrder } from "./order.ts";

test("an order survives the address", () => {
  assert.deepEqual(labelsSearch([{ id: 17, copies: 3 }, { id: 18, copies: 1 }]), { products: "17*3,18" });
  assert.equal(writeOrder(readOrder("17*3,18")), "17*3,18");
});

test("a quantity becomes whole labels, within limits", () => {
  assert.deepEqual(["2.5", "3", "", "99999"].map(copiesOf), [3, 3, 0, 500]);
  assert.equal(readOrder("1*99999").get(1), 500);
});
