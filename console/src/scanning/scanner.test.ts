/** Scanners and people at the same keyboard. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ScanDetector } from "./scanner.ts";

function scanned(detector: ScanDetector, text: string, gap: number, start = 0): string[] {
  const codes: string[] = [];
  [...text].forEach((character, index) => {
    const code = detector.press({ key: character === "\n" ? "Enter" : character, at: start + index * gap });
    if (code !== undefined) codes.push(code);
  });
  return codes;
}

test("a fast code with Enter is a scan", () => {
  assert.deepEqual(scanned(new ScanDetector(), "4006381333931\n", 8), ["4006381333931"]);
});

test("a person who types is no scanner", () => {
  assert.deepEqual(scanned(new ScanDetector(), "4006381333931\n", 90), []);
});

test("five characters are no scan", () => {
  assert.deepEqual(scanned(new ScanDetector(), "12345\n", 5), []);
});

test("scans in a row are all found", () => {
  assert.deepEqual(scanned(new ScanDetector(), "ABCDEF1\nABCDEF2\nABCDEF3\n", 5), ["ABCDEF1", "ABCDEF2", "ABCDEF3"]);
});

test("a scan after slow typing has only its own characters", () => {
  const detector = new ScanDetector();
  scanned(detector, "ab", 200);
  assert.deepEqual(scanned(detector, "4006381\n", 5, 1000), ["4006381"]);
});

test("keys without a character do not break a scan", () => {
  const detector = new ScanDetector();
  let at = 0;
  for (const key of ["A", "Shift", "B", "C", "Shift", "D", "E", "F"]) {
    at += 5;
    detector.press({ key, at });
  }
  assert.equal(detector.press({ key: "Tab", at: at + 5 }), "ABCDEF");
});
