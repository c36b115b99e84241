/** Which codes of a camera's pictures are new: one that stays in view counts once. */
const FORGOTTEN_AFTER_MS = 1200;

export class SeenCodes {
  readonly #lastSeen = new Map<string, number>();

  /** The codes of a picture that no picture shortly before had. `at`: milliseconds. */
  see(codes: string[], at: number): string[] {
    const found = [...new Set(codes)].filter((code) => at - (this.#lastSeen.get(code) ?? Number.NEGATIVE_INFINITY) > FORGOTTEN_AFTER_MS);
    for (const code of codes) this.#lastSeen.set(code, at);
    return found;
  }
}
