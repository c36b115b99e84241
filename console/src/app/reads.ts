/** Reads and writes of the API as hooks. The first part of the path is the first part of the key, by which events find it. */
import { hashKey, keepPreviousData, type QueryClient, type QueryKey, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { notifications } from "@mantine/notifications";
import { createElement } from "react";
import { findKept } from "../offline/kept-reads.ts";
import { isUnreachable, messageOf, newKey, read, type Schemas } from "./api.ts";
import { t } from "./i18n.ts";
import { isDisconnected } from "./live.ts";
import { UndoMessage } from "./undo.tsx";

type Query = Record<string, string | number | boolean | number[] | undefined>;

export const keyOf = (path: string, query: Query = {}): readonly unknown[] => [path.split("/")[1], path, query];

const TIMEOUT_SECONDS = 20;
const TIMEOUT_WITHOUT_CONNECTION_SECONDS = 5;

/** Read from the server. Without a connection, what the device has kept is shown meanwhile, with its age. */
async function readOrShowKept<Value>(queries: QueryClient, key: QueryKey, path: string, query: Query): Promise<Value> {
  const showKept = async (): Promise<void> => {
    const kept = queries.getQueryData(key) === undefined ? await findKept(hashKey(key)) : undefined;
    if (kept) queries.setQueryData(key, kept.data, { updatedAt: kept.at });
  };
  if (isDisconnected()) await showKept();
  try {
    return await read<Value>(path, query, { timeoutSeconds: isDisconnected() ? TIMEOUT_WITHOUT_CONNECTION_SECONDS : TIMEOUT_SECONDS });
  } catch (error) {
    if (isUnreachable(error)) await showKept();
    throw error;
  }
}

/** `path`: below `/api/v1`; undefined reads nothing. Previous data stays visible while the query changes. */
export function useRead<Value>(path: string | undefined, query: Query = {}, options: { staleMs?: number } = {}) {
  const queries = useQueryClient();
  const key = keyOf(path ?? "/", query);
  return useQuery({
    queryKey: key,
    queryFn: () => readOrShowKept<Value>(queries, key, path as string, query),
    enabled: path !== undefined,
    placeholderData: keepPreviousData,
    ...(options.staleMs === undefined ? {} : { staleTime: options.staleMs }),
  });
}

/** Warehouses are few: all of them, by id. */
export function useWarehouses() {
  const { data } = useRead<{ items: Schemas["WarehouseResponse"][] }>("/warehouses", { page_size: 100 }, { staleMs: 60_000 });
  const items = data?.items ?? [];
  const byId = new Map(items.map((one) => [one.id, one]));
  const standard = items.find((one) => one.is_default) ?? items[0];
  return { items, standard, nameOf: (id: number | null | undefined) => (id ? (byId.get(id)?.name ?? `#${id}`) : "–") };
}

interface Announcement {
  title?: string;
  isError?: boolean;
  /** Offered for ten seconds. */
  undo?: () => Promise<unknown>;
}

export function announce(message: string, options: Announcement = {}): void {
  const id = newKey();
  notifications.show({
    id,
    message: options.undo ? createElement(UndoMessage, { message, undo: options.undo, onDone: () => notifications.hide(id) }) : message,
    title: options.title,
    color: options.isError ? "red" : "teal",
    withCloseButton: true,
    autoClose: options.isError || options.undo ? 10_000 : 4_000,
    closeButtonProps: { "aria-label": t("Close") },
  });
}

/** A write; `done` names its success. Everything that was read is read again, and errors are shown unless handled. */
export function useWrite<Input, Value>(
  write: (input: Input) => Promise<Value>,
  options: { done?: (value: Value) => string; onDone?: (value: Value) => void; showsErrors?: boolean } = {},
) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: write,
    onSuccess: (value) => {
      if (options.done) announce(options.done(value));
      options.onDone?.(value);
      void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "session" });
    },
    onError: (error) => {
      if (options.showsErrors !== false) announce(messageOf(error), { isError: true });
    },
  });
}
