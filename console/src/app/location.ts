/** The query of the address, which holds filters, sorting and page of a list. */
import { useLocation, useNavigate } from "@tanstack/react-router";

import { PATH_PREFIX } from "./page.ts";

export type Search = Record<string, string>;

export const parseSearch = (text: string): Search => Object.fromEntries(new URLSearchParams(text));

export function stringifySearch(search: Record<string, unknown>): string {
  const entries = Object.entries(search).filter(([, value]) => value !== undefined && value !== "" && value !== null);
  const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
  return text ? `?${text}` : "";
}

/** The search of this page, and a function that changes some of it; an empty value removes one. */
export function useSearchState(): [Search, (changes: Search, options?: { replace?: boolean }) => void] {
  const search = useLocation({ select: (location) => location.search as Search });
  const navigate = useNavigate();
  const change = (changes: Search, options: { replace?: boolean } = {}): void => {
    void navigate({
      to: ".",
      search: (previous: Search) => ({ ...previous, ...changes }),
      replace: options.replace ?? true,
      resetScroll: false,
    } as never);
  };
  return [search, change];
}

/** The page's path, without the prefix under which a proxy publishes the gateway. */
export function usePath(): string {
  const path = useLocation({ select: ({ pathname }) => pathname });
  return path.startsWith(`${PATH_PREFIX}/`) ? path.slice(PATH_PREFIX.length) : path;
}
