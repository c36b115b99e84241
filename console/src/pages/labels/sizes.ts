/** Sizes of labels, and whether the bars of a barcode are wide enough on them. Lengths in millimetres. */

export type Size = "small" | "medium" | "large" | "roll";

/** As `console.css` has them. On A4 with margins of 10 mm, four, three and two stand beside each other. */
const WIDTHS: Record<Size, number> = { small: 45, medium: 61, large: 92, roll: 62 };
/** Left and right, with the border. */
const PADDING = 2 * 3.3;
/** The API draws the thinnest bar so wide. */
const MODULE = 0.33;
/** Thinner bars blur on office printers, and many scanners do not read them. */
export const MIN_MODULE = 0.25;
const MILLIMETRES_OF_PIXEL = 25.4 / 96;

/** The width of the thinnest bar of a barcode that is `pixels` wide by itself: never drawn larger, smaller if it must fit. */
export function moduleOn(size: Size, pixels: number): number {
  return MODULE * Math.min(1, (WIDTHS[size] - PADDING) / (pixels * MILLIMETRES_OF_PIXEL));
}

export const isReadable = (size: Size, pixels: number): boolean => moduleOn(size, pixels) >= MIN_MODULE;
