/** Small pieces of text that many pages show. */
import type { ReactNode } from "react";
import { Badge } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { quantity } from "../app/format.ts";
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
