/** The products: prices and thresholds are edited in place, several rows at once change through the selection. */
import { useState } from "react";
import { Button, Group } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { client, downloadUrl, imageUrl } from "../../app/api.ts";
import { money, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useSearchState } from "../../app/location.ts";
import { may, mayChange } from "../../app/permissions.ts";
import { announce, useRead, useWrite } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { FormDialog } from "../../parts/dialog.tsx";
import type { ProductItem } from "../../parts/inputs.tsx";
import { DecimalInput } from "../../parts/inputs.tsx";
import { ListPage } from "../../parts/list.tsx";
import type { Column } from "../../parts/table.tsx";
import { Tag } from "../../parts/texts.tsx";
import { labelsSearch } from "../labels/order.ts";
import { InlineDecimal } from "./inline.tsx";

const FILTERS = ["search", "category", "low_stock", "in_stock", "is_active"];

export default function ProductsPage() {
  const user = useUser();
  const [search] = useSearchState();
  const categories = useRead<{ items: { id: number; name: string }[] }>("/categories", { page_size: 100, sort_by: "name_asc" }, { staleMs: 60_000 }).data?.items ?? [];
  const exported = Object.fromEntries(FILTERS.filter((name) => search[name]).map((name) => [name, search[name] as string]));
  return (
    <ListPage<ProductItem>
      title={t("Products")}
      path="/products"
      defaultSort="name_asc"
      columns={columnsFor(user)}
      filters={[
        { kind: "search", name: "search", label: t("Name, SKU or barcode") },
        { kind: "select", name: "category", label: t("Category"), options: categories.map(({ name }) => ({ value: name, label: name })) },
        { kind: "select", name: "is_active", label: t("Sold at present"), options: [{ value: "true", label: t("Active") }, { value: "false", label: t("Not sold any more") }] },
        { kind: "flag", name: "low_stock", label: t("Low stock only") },
      ]}
      actions={
        <>
          <Button variant="default" component="a" href={downloadUrl("/products/export", { ...exported, format: "csv" })} download>{t("Export")}</Button>
          {may(user, "import.run") ? <Button variant="default" component={Link} to="/imports">{t("Import")}</Button> : null}
          <Button component={Link} to="/products/new">{t("New product")}</Button>
        </>
      }
      empty={{
        title: t("No products yet"),
        text: t("Enter the first product, or import a list from a spreadsheet or another shop system."),
        action: <Group><Button component={Link} to="/products/new">{t("New product")}</Button>{may(user, "import.run") ? <Button variant="default" component={Link} to="/imports">{t("Import")}</Button> : null}</Group>,
      }}
      bulk={(rows, clear) => <BulkActions rows={rows} clear={clear} />}
    />
  );
}

function columnsFor(user: Parameters<typeof mayChange>[0]): Column<ProductItem>[] {
  const edit = (row: ProductItem, field: "unit_price" | "low_stock_threshold", label: string, shown: string) =>
    mayChange(user, row) ? <InlineDecimal product={row} field={field} label={label} shown={shown} /> : shown;
  return [
    {
      key: "name",
      label: t("Product"),
      sort: "name",
      text: (row) => row.name,
      render: (row) => (
        <Group gap="sm" wrap="nowrap">
          {row.image_url ? <img className="thumbnail" loading="lazy" alt="" src={imageUrl(`${row.image_url}&size=thumbnail`)} /> : null}
          <Link to={`/products/${row.id}`}><div className="clip">{row.name}</div><span className="dim narrow-only">{row.sku}</span></Link>
          {row.is_active ? null : <Tag>{t("not sold")}</Tag>}
        </Group>
      ),
    },
    { key: "sku", label: t("SKU"), isWideOnly: true, text: (row) => row.sku, render: (row) => row.sku },
    { key: "category", label: t("Category"), isWideOnly: true, text: (row) => row.category, render: (row) => row.category ?? <span className="dim">–</span> },
    { key: "price", label: t("Price"), isNumber: true, sort: "price", text: (row) => row.unit_price, render: (row) => edit(row, "unit_price", t("Price of {{sku}}", { sku: row.sku }), money(row.unit_price)) },
    ...(may(user, "cost.read") ? [{ key: "cost", label: t("Cost"), isNumber: true, isWideOnly: true, text: (row: ProductItem) => row.cost_price, render: (row: ProductItem) => money(row.cost_price) }] : []),
    { key: "stock", label: t("In stock"), isNumber: true, sort: "stock", text: (row) => row.quantity_in_stock, render: (row) => <Stock row={row} /> },
    { key: "available", label: t("Available"), isNumber: true, isWideOnly: true, text: (row) => row.available, render: (row) => quantity(row.available) },
    { key: "threshold", label: t("Low at"), isNumber: true, isWideOnly: true, text: (row) => row.low_stock_threshold, render: (row) => edit(row, "low_stock_threshold", t("Threshold of {{sku}}", { sku: row.sku }), quantity(row.low_stock_threshold)) },
  ];
}

function Stock({ row }: { row: ProductItem }) {
  const stock = Number(row.quantity_in_stock);
  const tone = stock <= 0 ? "bad strong" : stock <= Number(row.low_stock_threshold) ? "warn strong" : "";
  const note = stock <= 0 ? t("sold out") : stock <= Number(row.low_stock_threshold) ? t("low") : "";
  return <span className={tone}>{quantity(row.quantity_in_stock)}{note ? <span className="wide-only" style={{ fontWeight: 400 }}> {note}</span> : null}</span>;
}

function BulkActions({ rows, clear }: { rows: ProductItem[]; clear: () => void }) {
  const user = useUser();
  return (
    <>
      <Button size="xs" variant="default" component={Link} to="/labels" search={labelsSearch(rows.map(({ id }) => ({ id, copies: 1 }))) as never}>{t("Print labels")}</Button>
      {may(user, "catalog.write_any") ? <BulkChanges rows={rows} clear={clear} /> : null}
    </>
  );
}

function BulkChanges({ rows, clear }: { rows: ProductItem[]; clear: () => void }) {
  const [isThreshold, setThreshold] = useState(false);
  const [value, setValue] = useState("");
  const change = useWrite(
    async (changes: { is_active?: boolean; low_stock_threshold?: string }) => {
      const results = await Promise.allSettled(rows.map((row) => client.products.update(row.id, changes as never, { ifMatch: `"${row.version}"` })));
      const failed = results.filter(({ status }) => status === "rejected").length;
      announce(failed ? t("{{failed}} of {{count}} products were not changed: another user changed them. Look at them and try again.", { failed, count: rows.length }) : t("{{count}} products changed", { count: rows.length }), { isError: failed > 0 });
    },
    { onDone: clear },
  );
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setThreshold(true)}>{t("Set threshold")}</Button>
      <Button size="xs" variant="default" loading={change.isPending} onClick={() => change.mutate({ is_active: false })}>{t("Stop selling")}</Button>
      <Button size="xs" variant="default" loading={change.isPending} onClick={() => change.mutate({ is_active: true })}>{t("Sell again")}</Button>
      {isThreshold ? (
        <FormDialog title={t("Threshold of {{count}} products", { count: rows.length })} button={t("Set")} isDisabled={!value} onClose={() => setThreshold(false)} onSubmit={() => change.mutateAsync({ low_stock_threshold: value })}>
          <DecimalInput label={t("Low at")} description={t("An alert appears when the stock reaches it.")} data-autofocus value={value} onChange={setValue} />
        </FormDialog>
      ) : null}
    </>
  );
}
