/** Keyboard shortcuts. None fires while a person types, and none with a modifier except Ctrl-K. */
import { useEffect } from "react";

const SEQUENCE_MS = 1200;

export function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return element !== null && (element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName));
}

export interface Shortcuts {
  palette: () => void;
  help: () => void;
  search: () => void;
  /** After `g`: the key of a page. */
  go: (key: string) => void;
}

export function useShortcuts(shortcuts: Shortcuts): void {
  useEffect(() => {
    let goUntil = 0;
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        shortcuts.palette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("[role=dialog]")) return;
      if (performance.now() < goUntil) {
        goUntil = 0;
        shortcuts.go(event.key);
      } else if (event.key === "g") goUntil = performance.now() + SEQUENCE_MS;
      else if (event.key === "?") shortcuts.help();
      else if (event.key === "/") {
        event.preventDefault();
        shortcuts.search();
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [shortcuts]);
}
