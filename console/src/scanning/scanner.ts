/** Tells a barcode scanner from a person: a scanner types at least six characters, each within 35 ms, then Enter or Tab. */
export const MIN_CHARACTERS = 6;
export const MAX_GAP_MS = 35;

export interface Key {
  key: string;
  /** Milliseconds. */
  at: number;
}

/** Takes keys one by one; `press` returns the code that the key completes, otherwise undefined. */
export class ScanDetector {
  #characters = "";
  #last = Number.NEGATIVE_INFINITY;

  press({ key, at }: Key): string | undefined {
    const isFast = at - this.#last <= MAX_GAP_MS;
    this.#last = at;
    if (key === "Enter" || key === "Tab") {
      const code = isFast && this.#characters.length >= MIN_CHARACTERS ? this.#characters : undefined;
      this.#characters = "";
      return code;
    }
    if (key.length !== 1) return undefined; // Shift and the like, which scanners send between characters
    this.#characters = isFast ? this.#characters + key : key;
    return undefined;
  }
}

/** Calls `onScan` for scans anywhere on the page: in dialogs, in inputs and without focus. An input keeps what was in it
 * before the scan. Returns a function that ends it. */
export function listenForScans(onScan: (code: string) => void): () => void {
  const detector = new ScanDetector();
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const code = detector.press({ key: event.key, at: event.timeStamp });
    if (code === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    removeTyped(event.target, code);
    onScan(code);
  };
  addEventListener("keydown", onKey, true);
  return () => removeEventListener("keydown", onKey, true);
}

/** The characters of the scan went into the focused input; take them out again, as React sees an edit. */
function removeTyped(target: EventTarget | null, code: string): void {
  if (!(target instanceof HTMLInputElement) || !target.value.endsWith(code)) return;
  const setter = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set;
  setter?.call(target, target.value.slice(0, -code.length));
  target.dispatchEvent(new Event("input", { bubbles: true }));
}
