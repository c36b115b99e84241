/** One live connection for the whole console: events mark what was read as out of date, and broken connections show. */
import { useSyncExternalStore } from "react";
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { PATH_PREFIX } from "./page.ts";

export interface LiveEvent {
  id: string;
  event: string;
  data: { subject?: string; time?: string; data?: Record<string, unknown> } & Record<string, unknown>;
}

/** Which reads an event changes, by the beginning of its type. Keys are the first parts of paths. */
const AFFECTED: [string, string[]][] = [
  ["stock.movement.", ["stock-movements", "stock-levels", "products", "dashboard", "reports"]],
  ["stock.level.", ["stock-levels", "products", "dashboard"]],
  ["stock.sale.", ["sales", "dashboard", "reports", "customers"]],
  ["stock.transfer.", ["stock-transfers", "dashboard"]],
  ["stock.purchase.", ["purchase-orders", "dashboard"]],
  ["stock.reservation.", ["reservations", "stock-levels"]],
  ["stock.count.", ["stock-counts"]],
  ["stock.warehouse.", ["warehouses"]],
  ["stock.customer.", ["customers"]],
  ["stock.expense.", ["expenses"]],
  ["stock.job.", ["jobs", "report-schedules"]],
  ["stock.report", ["report-schedules"]],
  ["catalog.job.", ["jobs"]],
  ["catalog.product.", ["products"]],
  ["catalog.category.", ["categories"]],
  ["catalog.supplier.", ["suppliers"]],
  ["catalog.import.", ["imports", "products"]],
  ["notifications.notification.", ["notifications"]],
];
const TYPES = "stock.*,catalog.*,notifications.notification.*";
const REFRESH_INTERVAL_MS = 1500;
const MAX_PAUSE_MS = 30_000;
const POLICY_VIOLATION = 1008;

export interface LiveState {
  isConnected: boolean;
  /** Since when what is shown may be out of date; undefined while connected or before the first connection. */
  brokenSince: number | undefined;
}

let state: LiveState = { isConnected: false, brokenSince: undefined };
const listeners = new Set<() => void>();
const watchers = new Set<(event: LiveEvent) => void>();

function setState(next: LiveState): void {
  state = next;
  for (const listener of listeners) listener();
}

/** What is shown was read earlier, at `since`: there is no connection. */
export function reportBroken(since: number): void {
  setState({ isConnected: false, brokenSince: since });
}

export const isDisconnected = (): boolean => state.brokenSince !== undefined || !navigator.onLine;

export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** Call `watcher` with each event; returns a function that ends it. */
export function watchEvents(watcher: (event: LiveEvent) => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Keep a connection until the returned function is called. It resumes after the last event. */
export function connect(queries: QueryClient): () => void {
  let socket: WebSocket | undefined;
  let cursor: string | undefined;
  let failures = 0;
  let timer: number | undefined;
  let isEnded = false;
  const refresh = collectedRefresh(queries);

  const open = (): void => {
    const query = new URLSearchParams({ types: TYPES, ...(cursor === undefined ? {} : { after: cursor }) });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}${PATH_PREFIX}/api/v1/ws?${query}`);
    socket.onopen = () => {
      const wasBroken = state.brokenSince !== undefined;
      failures = 0;
      setState({ isConnected: true, brokenSince: undefined });
      if (wasBroken) void queries.invalidateQueries();
    };
    socket.onmessage = (message) => {
      const event = JSON.parse(message.data as string) as LiveEvent;
      cursor = event.id;
      for (const watcher of watchers) watcher(event);
      refresh(event.event);
    };
    socket.onclose = ({ code }) => {
      if (isEnded) return;
      setState({ isConnected: false, brokenSince: state.brokenSince ?? Date.now() });
      if (code === POLICY_VIOLATION) void queries.invalidateQueries(); // finds out whether the session has ended
      timer = window.setTimeout(open, Math.min(MAX_PAUSE_MS, 500 * 2 ** failures++) * (0.5 + Math.random() / 2));
    };
  };
  const retryNow = (): void => {
    if (state.isConnected || isEnded) return;
    clearTimeout(timer);
    socket?.close();
    open();
  };
  addEventListener("online", retryNow);
  open();
  return () => {
    isEnded = true;
    removeEventListener("online", retryNow);
    clearTimeout(timer);
    socket?.close();
  };
}

/** Marks reads at most once per interval, however many events arrive, and none that is still being read: a slow answer
 * would otherwise be thrown away again and again. */
function collectedRefresh(queries: QueryClient): (type: string) => void {
  const waiting = new Set<string>();
  let isScheduled = false;
  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    setTimeout(() => {
      isScheduled = false;
      const isWaiting = ({ queryKey }: { queryKey: QueryKey }): boolean => waiting.has(String(queryKey[0]));
      if (queries.isFetching({ predicate: isWaiting }) > 0) return schedule();
      const keys = new Set(waiting);
      waiting.clear();
      void queries.invalidateQueries({ predicate: ({ queryKey }) => keys.has(String(queryKey[0])) });
    }, REFRESH_INTERVAL_MS);
  };
  return (type) => {
    for (const [beginning, keys] of AFFECTED) if (type.startsWith(beginning)) for (const key of keys) waiting.add(key);
    if (type === "stream.reset") void queries.invalidateQueries();
    if (waiting.size > 0) schedule();
  };
}
