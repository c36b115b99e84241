/** Keeps the products that a till needs without a connection: all that are sold, newest first, up to a limit. They are
 * read in the background when a till is opened, page by page, and again one by one as events report their changes. */
import { useEffect } from "react";
import { errors, type Page, read, type Schemas } from "../app/api.ts";
import { useLiveState, watchEvents } from "../app/live.ts";
import { useUser } from "../app/session.tsx";
import { currentOwner, dropProduct, finishFilling, keepProducts, lastFilling } from "./kept-products.ts";

type Product = Pick<Schemas["ProductListItem"], "id" | "is_active"> & { description?: unknown };

/** About one megabyte: a product has 500 characters. */
const MAX_PRODUCTS = 2000;
const PAGE_SIZE = 100;
/** Changes while the console was closed are not reported later. */
const MAX_AGE_MS = 60 * 60_000;
const CHANGES_INTERVAL_MS = 3_000;
/** More, as those of an import, are read page by page. */
const MAX_CHANGES = 50;

let filling: Promise<void> | undefined;
let isWatching = false;
let isScheduled = false;
/** The products that events have reported, until they are read again. */
const changed = new Set<number>();

/** Call it on the page of a till. What it begins goes on while the console is open, whatever page is shown. */
export function useTillProducts(): void {
  const user = useUser();
  const { isConnected } = useLiveState();
  // biome-ignore lint/correctness/useExhaustiveDependencies: with other permissions, what was kept is gone
  useEffect(() => {
    if (!isConnected) return;
    watchChanges();
    void fillIfOld().catch(ignore);
  }, [isConnected, user]);
}

/** The connection broke, the session ended or the disk is full: the next connection goes on. */
const ignore = (): void => undefined;

async function fillIfOld(): Promise<void> {
  if (Date.now() - (await lastFilling()) > MAX_AGE_MS) await fill();
}

function fill(): Promise<void> {
  filling ??= readPages().finally(() => {
    filling = undefined;
  });
  return filling;
}

async function readPages(): Promise<void> {
  const [owner, start] = [currentOwner(), Date.now()];
  let cursor: string | null = null;
  for (let count = 0; count < MAX_PRODUCTS; count += PAGE_SIZE) {
    const query = { is_active: true, sort_by: "created_desc", page_size: PAGE_SIZE, ...(cursor === null ? {} : { cursor }) };
    const page: Page<Product> = await read<Page<Product>>("/products", query);
    await keepProducts(owner, page.items.map(withoutDescription));
    cursor = page.next_cursor;
    if (cursor === null) break;
  }
  await finishFilling(owner, start);
  if (currentOwner() !== owner && currentOwner() !== "") await readPages(); // they may see other products
}

const withoutDescription = ({ description: _, ...product }: Product): { id: number } => product;

function watchChanges(): void {
  if (changed.size > 0) schedule(); // an earlier connection broke before they were read
  if (isWatching) return;
  isWatching = true;
  watchEvents(({ event, data }) => {
    if (!event.startsWith("catalog.product.")) return;
    changed.add(Number(data.subject?.split("/")[1]));
    schedule();
  });
}

/** Changes of an interval are read together. */
function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setTimeout(() => {
    isScheduled = false;
    void readChanged().catch(ignore);
  }, CHANGES_INTERVAL_MS);
}

async function readChanged(): Promise<void> {
  if (changed.size > MAX_CHANGES) {
    await fill();
    changed.clear();
  }
  for (const id of changed) {
    changed.delete(id);
    await readAgain(id).catch((error) => {
      changed.add(id);
      throw error;
    });
  }
}

async function readAgain(id: number): Promise<void> {
  const owner = currentOwner();
  try {
    const product = await read<Product>(`/products/${id}`);
    await (product.is_active ? keepProducts(owner, [withoutDescription(product)]) : dropProduct(owner, id));
  } catch (error) {
    if (!(error instanceof errors.NotFound)) throw error;
    await dropProduct(owner, id);
  }
}
