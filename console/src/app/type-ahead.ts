/** What a person types after Ctrl-K, until the palette is on the screen and has the focus. */

const MOST_MS = 5000;

let text = "";
let isEntered = false;
let ending: ReturnType<typeof setTimeout> | undefined;

/** Keep the keys, so that they neither get lost nor reach the page. It ends by itself if the palette does not appear. */
export function startTypeAhead(): void {
  endTypeAhead();
  document.addEventListener("keydown", keep, true);
  ending = setTimeout(endTypeAhead, MOST_MS);
}

/** Returns what was typed, and whether Enter followed. */
export function endTypeAhead(): { text: string; isEntered: boolean } {
  document.removeEventListener("keydown", keep, true);
  clearTimeout(ending);
  const typed = { text, isEntered };
  text = "";
  isEntered = false;
  return typed;
}

function keep(event: KeyboardEvent): void {
  const isAltGr = event.getModifierState("AltGraph");
  if (!isAltGr && (event.ctrlKey || event.metaKey || event.altKey)) return;
  if (event.key === "Enter") isEntered = true;
  else if (event.key === "Backspace") text = text.slice(0, -1);
  else if (event.key.length === 1) text += event.key;
  else return;
  event.preventDefault();
  event.stopPropagation();
}
