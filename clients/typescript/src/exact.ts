/** Exact numbers: money and quantities are decimal strings, never floating-point numbers. */
import { QUANTITIES } from "./exactFields.js";

/** A decimal number as a string: `"19.99"`. Calculate with `sum`, `times` and `compare`. */
export type Exact = `${number}`;

const MEMBER = /"((?:[^"\\]|\\.)*)"(?:(\s*:\s*)(-?\d[\d.eE+-]*))?/g;

/** The JSON value, with quantities as strings, digit by digit as they were sent. Throws SyntaxError. */
export function decode(text: string): unknown {
  return JSON.parse(quoteQuantities(text));
}

/** The JSON text with its quantities as strings. */
export function quoteQuantities(text: string): string {
  return text.replace(MEMBER, (all: string, name: string, colon?: string, number?: string) =>
    number !== undefined && QUANTITIES.has(name) ? `"${name}"${colon}"${number}"` : all,
  );
}

/** The number as an integer and the power of ten that it is divided by. */
function parse(value: Exact | number): [bigint, number] {
  const [, sign, whole, fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(String(value)) ?? [];
  if (whole === undefined) throw new RangeError(`${value} is not a decimal number`);
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(sign + whole + fraction) * 10n ** BigInt(Math.max(0, -scale));
  return [digits, Math.max(0, scale)];
}

function format(digits: bigint, scale: number): Exact {
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, "0");
  const whole = text.slice(0, text.length - scale);
  return `${digits < 0n ? "-" : ""}${whole}${scale ? `.${text.slice(-scale)}` : ""}` as Exact;
}

/** The exact sum: `sum("0.10", "0.20")` is `"0.30"`. */
export function sum(...values: (Exact | number)[]): Exact {
  const parsed = values.map(parse);
  const scale = Math.max(0, ...parsed.map(([, one]) => one));
  return format(parsed.reduce((total, [digits, one]) => total + digits * 10n ** BigInt(scale - one), 0n), scale);
}

/** The exact product, with all its decimal places. */
export function times(left: Exact | number, right: Exact | number): Exact {
  const [[a, scaleOfA], [b, scaleOfB]] = [parse(left), parse(right)];
  return format(a * b, scaleOfA + scaleOfB);
}

/** Negative, zero or positive: the order of two numbers. */
export function compare(left: Exact | number, right: Exact | number): number {
  const [[a, scaleOfA], [b, scaleOfB]] = [parse(left), parse(right)];
  const difference = a * 10n ** BigInt(scaleOfB) - b * 10n ** BigInt(scaleOfA);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Whether `current` has every value of `wanted`; `"5"` and `"5.00"` are the same number. */
export function agrees(current: unknown, wanted: unknown): boolean {
  if (current === wanted) return true;
  if (Array.isArray(wanted)) {
    return Array.isArray(current) && current.length === wanted.length && wanted.every((one, n) => agrees(current[n], one));
  }
  if (typeof wanted === "object" && wanted !== null) {
    if (typeof current !== "object" || current === null) return false;
    return Object.entries(wanted).every(
      ([name, value]) => value === undefined || (name in current && agrees((current as Record<string, unknown>)[name], value)),
    );
  }
  try {
    return [current, wanted].every((one) => ["string", "number"].includes(typeof one)) && compare(current as Exact, wanted as Exact) === 0;
  } catch {
    return false;
  }
}
