/** The lines of a document that is being written: products with quantities, and a price or a cost where it has one. */
import { ActionIcon, Text } from "@mantine/core";
import { compare, type Exact, sum, times } from "@stockbuddy/client";
import { money, quantity } from "../app/format.ts";
import { t } from "../app/i18n.ts";
import { DecimalInput, type ProductItem, ProductPicker } from "./inputs.tsx";

export interface Line {
  productId: number;
  sku: string;
  name: string;
  quantity: string;
  /** Empty where the document has none. */
  price: string;
  available: string;
}

export const lineOf = (product: ProductItem, price: string): Line => ({
  productId: product.id,
  sku: product.sku,
  name: product.name,
  quantity: "1",
  price,
  available: String(product.available),
});

/** One more of a product; a new line if there is none yet. */
export function addLine(lines: Line[], line: Line): Line[] {
  const known = lines.find((one) => one.productId === line.productId);
  if (!known) return [...lines, line];
  const more = sum((known.quantity || "0") as Exact, line.quantity as Exact);
  return lines.map((one) => (one === known ? { ...one, quantity: more } : one));
}

export const totalOf = (lines: Line[]): Exact => sum("0", ...lines.map((line) => times((line.quantity || "0") as Exact, (line.price || "0") as Exact)));

export const areComplete = (lines: Line[]): boolean =>
  lines.length > 0 && lines.every((line) => line.quantity !== "" && compare(line.quantity as Exact, 0) > 0);

interface LinesProps {
  lines: Line[];
  onChange: (lines: Line[]) => void;
  /** The column of the price; without it the document has none. */
  priceLabel?: string;
  priceOf?: (product: ProductItem) => string;
  /** Marks quantities beyond what is available. */
  checksStock?: boolean;
  autoFocus?: boolean;
}

export function LinesEditor(props: LinesProps) {
  const { lines, onChange } = props;
  const change = (line: Line, changes: Partial<Line>): void => onChange(lines.map((one) => (one === line ? { ...one, ...changes } : one)));
  return (
    <div>
      <ProductPicker label={t("Add a product")} autoFocus={props.autoFocus ?? false} onPick={(product) => onChange(addLine(lines, lineOf(product, props.priceOf?.(product) ?? "")))} />
      {lines.length === 0 ? (
        <Text c="dimmed" size="sm" mt="sm">{t("Search, or scan a barcode, to add the first line.")}</Text>
      ) : (
        <div className="table-frame" style={{ marginTop: 12 }} role="region" aria-label={t("Lines")} tabIndex={0}>
          <table className="data-table compact">
            <thead>
              <tr>
                <th scope="col">{t("Product")}</th>
                <th scope="col" className="number">{t("Quantity")}</th>
                {props.priceLabel ? <th scope="col" className="number">{props.priceLabel}</th> : null}
                {props.priceLabel ? <th scope="col" className="number">{t("Total")}</th> : null}
                <th scope="col"><span className="dim">{t("Remove")}</span></th>
              </tr>
            </thead>
            <tbody>
              {lines.map((line) => {
                const isShort = props.checksStock && line.quantity !== "" && compare(line.quantity as Exact, line.available as Exact) > 0;
                return (
                  <tr key={line.productId}>
                    <td><div className="clip">{line.name}</div><span className="dim">{line.sku}</span>{isShort ? <div className="bad">{t("{{count}} available", { count: quantity(line.available) })}</div> : null}</td>
                    <td className="number"><DecimalInput w={84} ml="auto" aria-label={t("Quantity of {{sku}}", { sku: line.sku })} value={line.quantity} onChange={(value) => change(line, { quantity: value })} /></td>
                    {props.priceLabel ? <td className="number"><DecimalInput w={96} ml="auto" aria-label={t("{{label}} of {{sku}}", { label: props.priceLabel, sku: line.sku })} value={line.price} onChange={(value) => change(line, { price: value })} /></td> : null}
                    {props.priceLabel ? <td className="number">{money(times((line.quantity || "0") as Exact, (line.price || "0") as Exact))}</td> : null}
                    <td><ActionIcon variant="subtle" color="gray" aria-label={t("Remove {{sku}}", { sku: line.sku })} onClick={() => onChange(lines.filter((one) => one !== line))}><span aria-hidden="true">✕</span></ActionIcon></td>
                  </tr>
                );
              })}
            </tbody>
            {props.priceLabel ? <tfoot><tr><th scope="row" colSpan={3}>{t("Total")}</th><td className="number">{money(totalOf(lines))}</td><td /></tr></tfoot> : null}
          </table>
        </div>
      )}
    </div>
  );
}
