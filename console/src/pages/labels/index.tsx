/** Labels to print: of chosen products, with a barcode that scans back to the product. */
import { useState } from "react";
import { Alert, Button, Checkbox, Group, NativeSelect, Paper, Text } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { downloadUrl, read, type Schemas } from "../../app/api.ts";
import { integer, money } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useSearchState } from "../../app/location.ts";
import { keyOf } from "../../app/reads.ts";
import { DecimalInput, ProductPicker } from "../../parts/inputs.tsx";
import { EmptyState, Page, Problem } from "../../parts/page.tsx";
import { copiesOf, type LabelOrder, readOrder, withCopies, writeOrder } from "./order.ts";
import { isReadable, type Size } from "./sizes.ts";

type Product = Schemas["ProductResponse"];

const SIZES: { value: Size; label: string }[] = [
  { value: "small", label: t("Small: 4 in a row") },
  { value: "medium", label: t("Medium: 3 in a row") },
  { value: "large", label: t("Large: 2 in a row") },
  { value: "roll", label: t("One on each page, for a label printer") },
];

export default function LabelsPage() {
  const [search, change] = useSearchState();
  const order = readOrder(search.products ?? "");
  const [size, setSize] = useState<Size>("medium");
  const [hasPrice, setPrice] = useState(true);
  const set = (next: LabelOrder): void => change({ products: writeOrder(next) });
  const reads = useQueries({
    queries: [...order.keys()].map((id) => ({ queryKey: keyOf(`/products/${id}`), queryFn: () => read<Product>(`/products/${id}`) })),
  });
  const products = reads.flatMap(({ data }) => data ?? []);
  const total = [...order.values()].reduce((sum, copies) => sum + copies, 0);
  return (
    <Page title={t("Labels")} lead={t("{{count}} labels", { count: integer(total) })} actions={<Button disabled={total === 0} onClick={() => print()}>{t("Print")}</Button>}>
      <Paper className="no-print">
        <Group align="flex-end">
          <ProductPicker label={t("Add a product")} onPick={(product) => set(withCopies(order, product.id, (order.get(product.id) ?? 0) + 1))} />
          <NativeSelect label={t("Size")} value={size} data={SIZES} onChange={(event) => setSize(event.currentTarget.value as Size)} />
          <Checkbox mb={8} label={t("With the price")} checked={hasPrice} onChange={(event) => setPrice(event.currentTarget.checked)} />
        </Group>
      </Paper>
      <Problem error={reads.find(({ error }) => error)?.error} />
      {order.size === 0 ? (
        <EmptyState title={t("No product is chosen")} text={t("Add products here, choose them in the list of products, or print the labels of what an order has received.")} />
      ) : (
        <Labels products={products} order={order} size={size} hasPrice={hasPrice} onChange={set} />
      )}
    </Page>
  );
}

interface LabelsProps {
  products: Product[];
  order: LabelOrder;
  size: Size;
  hasPrice: boolean;
  onChange: (order: LabelOrder) => void;
}

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

function Labels({ products, order, size, hasPrice, onChange }: LabelsProps) {
  /** The widths of the images by the product's id, once they are loaded. */
  const [widths, setWidths] = useState<ReadonlyMap<number, number>>(new Map());
  const keepWidth = (id: number, width: number): void => setWidths((known) => (known.get(id) === width ? known : new Map([...known, [id, width]])));
  const tooWide = products.filter(({ id }) => order.get(id) && !isReadable(size, widths.get(id) ?? 0)).map(({ sku }) => sku);
  return (
    <>
      {tooWide.length > 0 ? (
        <Alert className="no-print" color="orange" variant="outline" role="alert">
          <Text size="sm" fw={600}>{t("Scanners may not read these labels: {{skus}}", { skus: tooWide.join(", ") })}</Text>
          {t("The code is too long for this size: its bars would be thinner than a quarter of a millimetre. Choose a larger label, or give the product a shorter barcode.")}
        </Alert>
      ) : null}
      <Group className="no-print" align="flex-end">
        {products.map((product) => (
          <DecimalInput key={product.id} w={150} label={product.sku} description={t("Labels of {{name}}", { name: product.name })} value={String(order.get(product.id))} onChange={(value) => onChange(withCopies(order, product.id, copiesOf(value)))} />
        ))}
      </Group>
      <ul className="labels" data-size={size} aria-label={t("Labels to print")}>
        {products.flatMap((product) => numbersTo(order.get(product.id) ?? 0).map((number) => <Label key={`${product.id} ${number}`} product={product} hasPrice={hasPrice} onWidth={(width) => keepWidth(product.id, width)} />))}
      </ul>
    </>
  );
}

function Label({ product, hasPrice, onWidth }: { product: Product; hasPrice: boolean; onWidth: (pixels: number) => void }) {
  return (
    <li className="label">
      <div className="label-name">{product.name}</div>
      <img src={downloadUrl(`/products/${product.id}/barcode.svg`)} alt={t("Barcode of {{sku}}", { sku: product.sku })} onLoad={(event) => onWidth(event.currentTarget.naturalWidth)} />
      <Group justify="space-between" wrap="nowrap" gap={4}>
        <Text span size="xs" inherit>{product.sku}</Text>
        {hasPrice ? <strong>{money(product.unit_price)}</strong> : null}
      </Group>
    </li>
  );
}
