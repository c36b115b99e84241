/** Commands that must arrive once: each is stored in the browser with its own idempotency key before it is sent, and is
 * sent in order until the server has answered, also after a reload and without a network. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { useSyncExternalStore } from "react";
import { ConnectionFailed } from "@stockbuddy/client";
import { errors, messageOf, newKey, send } from "../app/api.ts";
import { t } from "../app/i18n.ts";
import { queries } from "../app/queries.ts";
import { findByCode } from "../app/product-codes.ts";

export interface Command {
  id?: number;
  key: string;
  /** The user whose session may send it. */
  userId: number;
  method: "POST" | "PUT";
  path: string;
  body: unknown;
  label: string;
  state: "waiting" | "done" | "rejected";
  /** The server's response, or why it rejected the command. */
  result?: unknown;
  message?: string;
  at: number;
}

interface Store extends DBSchema {
  commands: { key: number; value: Command };
}

const MAX_FINISHED = 50;
const RETRY_MS = 3000;

let commands: Command[] = [];
let opened: Promise<IDBPDatabase<Store>> | undefined;
let isRunning = false;
const listeners = new Set<() => void>();

function database(): Promise<IDBPDatabase<Store>> {
  opened ??= openDB<Store>("stockbuddy-console", 1, {
    upgrade: (created) => void created.createObjectStore("commands", { keyPath: "id", autoIncrement: true }),
  });
  return opened;
}

function publish(next: Command[]): void {
  commands = next;
  for (const listener of listeners) listener();
}

export function useQueueState(): Command[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => commands,
  );
}

/** Load what an earlier page left, and send it. */
export async function resumeQueue(userId: number): Promise<void> {
  const stored = await (await database()).getAll("commands");
  publish(stored.filter((command) => command.userId === userId));
  void run();
}

/** Returns when the command is stored safely; it is sent afterwards. */
export async function enqueue(command: Pick<Command, "userId" | "method" | "path" | "body" | "label">): Promise<string> {
  const whole: Command = { ...command, key: newKey(), state: "waiting", at: Date.now() };
  const id = await (await database()).add("commands", whole);
  publish([...commands, { ...whole, id }]);
  void run();
  return whole.key;
}

export async function dismissFinished(): Promise<void> {
  const store = await database();
  await Promise.all(commands.filter(({ state }) => state !== "waiting").map(({ id }) => store.delete("commands", id as number)));
  publish(commands.filter(({ state }) => state === "waiting"));
}

async function run(): Promise<void> {
  if (isRunning) return;
  isRunning = true;
  try {
    for (let next = firstWaiting(); next !== undefined; next = firstWaiting()) {
      const finished = await attempt(next);
      if (finished === undefined) {
        setTimeout(() => void run(), RETRY_MS);
        return;
      }
      await (await database()).put("commands", finished);
      publish(commands.map((command) => (command.key === finished.key ? finished : command)));
      void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === finished.path.split("/")[1] });
      await forgetOldest();
    }
  } finally {
    isRunning = false;
  }
}

const firstWaiting = (): Command | undefined => commands.find(({ state }) => state === "waiting");

/** The finished command; undefined if the server could not be reached and the command must be sent again. */
async function attempt(command: Command): Promise<Command | undefined> {
  try {
    const body = await withProducts(command.body);
    const result = await send(command.method, command.path, body, { idempotencyKey: command.key });
    return { ...command, state: "done", result };
  } catch (error) {
    const status = (error as { status?: number }).status ?? 0;
    const isTransient = error instanceof ConnectionFailed || error instanceof errors.Unauthenticated || status === 429 || status >= 500;
    return isTransient ? undefined : { ...command, state: "rejected", message: messageOf(error) };
  }
}

/** The body with products in place of scanned codes: a code that was scanned without a network is looked up later. */
async function withProducts(body: unknown): Promise<unknown> {
  if (Array.isArray(body)) return Promise.all(body.map(withProducts));
  if (typeof body !== "object" || body === null) return body;
  const { code, ...rest } = body as Record<string, unknown>;
  const entries = await Promise.all(Object.entries(rest).map(async ([name, value]) => [name, await withProducts(value)] as const));
  if (typeof code !== "string") return Object.fromEntries(entries);
  return { ...Object.fromEntries(entries), product_id: await productIdOf(code) };
}

async function productIdOf(code: string): Promise<number> {
  const product = await findByCode(code);
  if (product === undefined) throw new errors.UnknownProduct(404, { detail: t("No product has the code {{code}}", { code }) });
  return product.id;
}

async function forgetOldest(): Promise<void> {
  const finished = commands.filter(({ state }) => state === "done");
  const old = finished.slice(0, Math.max(0, finished.length - MAX_FINISHED));
  if (!old.length) return;
  const store = await database();
  await Promise.all(old.map(({ id }) => store.delete("commands", id as number)));
  publish(commands.filter((command) => !old.includes(command)));
}

addEventListener("online", () => void run());
