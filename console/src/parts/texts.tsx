/** Small pieces of text that many pages show. */
import type { ReactNode } from "react";
import { Badge } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { quantity } from "../app/format.ts";
import { t } from "../app/i18n.ts";
import { stateLabel, stateTone } from "./words.ts";

export function State({ state }: { state: string }) {
  return <span className={`nowrap strong ${stateTone(state)}`}>{stateLabel(state)}</span>;
}

export function Tag({ children }: { children: ReactNode }) {
  return <Badge variant="default" tt="none" fw={500}>{children}</Badge>;
}

export function Signed({ value }: { value: string | number }) {
  if (Number(value) === 0) return <>{quantity(value)}</>;
  return <span className={String(value).startsWith("-") ? "bad" : "good"}>{quantity(value, { sign: true })}</span>;
}

/** The pages of documents, by the kind in a movement's `document`. */
const DOCUMENTS: Record<string, { path: string; label: string }> = {
  sale: { path: "/sales", label: t("Sale") },
  stock_transfer: { path: "/transfers", label: t("Transfer") },
  purchase_order: { path: "/purchase-orders", label: t("Purchase order") },
  stock_count: { path: "/counts", label: t("Count") },
};

/** `document`: kind and id, as `sale/17`. */
export function DocumentLink({ document, reference }: { document: string | null; reference: string | null }) {
  const [kind = "", id = ""] = document?.split("/") ?? [];
  const known = DOCUMENTS[kind];
  const text = reference || (known ? `${known.label} ${id}` : (document ?? ""));
  return known ? <Link to={`${known.path}/${id}`} className="nowrap">{text}</Link> : <span className="nowrap">{text}</span>;
}

export function ProductLink({ id, name, sku }: { id: number; name: string; sku: string }) {
  return (
    <Link to={`/products/${id}`}>
      <div className="clip">{name}</div>
      <span className="dim nowrap">{sku}</span>
    </Link>
  );
}

/** Pairs of a name and a value; those without a value are left out. */
export function Definitions({ items }: { items: [string, ReactNode][] }) {
  return (
    <dl className="definition">
      {items.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
