/** One product: its stock by warehouse, its chart and movements, its forecast, picture and changes. */
import { lazy, Suspense } from "react";
import { Button, Group, Text } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { client, imageUrl, send, type Page as ApiPage, type Schemas } from "../../app/api.ts";
import { moment, money, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { may, mayChange } from "../../app/permissions.ts";
import { announce, useRead, useWarehouses, useWrite } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { Changes } from "../../parts/changes.tsx";
import { DialogButton } from "../../parts/dialog.tsx";
import { MovementDialog } from "../../parts/movement.tsx";
import { Loaded, Loading, Page, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";
import { Definitions, DocumentLink, Signed, Tag } from "../../parts/texts.tsx";
import { movementLabel } from "../../parts/words.ts";
import { labelsSearch } from "../labels/order.ts";

const StockChart = lazy(() => import("./stock-chart.tsx"));
const MAX_MOVEMENTS = 100;

type Product = Schemas["ProductResponse"];
type Movement = Schemas["MovementResponse"];

export default function ProductPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const product = useRead<Product>(`/products/${id}`);
  return <Loaded read={product}>{(shown) => <Detail product={shown} />}</Loaded>;
}

function Detail({ product }: { product: Product }) {
  const user = useUser();
  const withCost = may(user, "cost.read");
  const movements = useRead<ApiPage<Movement>>("/stock-movements", { product_id: product.id, page_size: MAX_MOVEMENTS });
  return (
    <Page
      title={product.name}
      lead={<>{product.sku}{product.is_active ? null : <> · <Tag>{t("not sold")}</Tag></>}</>}
      actions={<Actions product={product} />}
    >
      <div className="columns">
        <Section title={t("Stock")}><StockByWarehouse product={product} /></Section>
        <Section title={t("Product data")}>
          <Group align="flex-start">
            <Picture product={product} />
            <Definitions
              items={[
                [t("Price"), money(product.unit_price)],
                [t("Cost"), withCost ? money(product.cost_price) : null],
                [t("Low at"), quantity(product.low_stock_threshold)],
                [t("Category"), product.category],
                [t("Supplier"), product.supplier?.name],
                [t("Unit"), product.unit_of_measure],
                [t("Barcodes"), product.barcodes.join(", ")],
                [t("Description"), product.description],
                [t("Changed"), moment(product.updated_at)],
              ]}
            />
          </Group>
        </Section>
      </div>
      <Section title={t("Stock on hand")}>
        <Loaded read={movements}>
          {(page) => (page.items.length ? <Suspense fallback={<Loading />}><StockChart recent={page.items} product={product} /></Suspense> : <Text c="dimmed">{t("Nothing was moved yet. The first movement, purchase or sale appears here.")}</Text>)}
        </Loaded>
      </Section>
      <Section title={t("Movements")} actions={<Link to="/movements" search={{ product_id: String(product.id) } as never} style={{ color: "var(--mantine-color-anchor)", fontSize: "0.85rem" }}>{t("All movements")}</Link>}>
        <Loaded read={movements}>{(page) => <Movements movements={page.items.slice(0, 15)} withCost={withCost} />}</Loaded>
      </Section>
      {may(user, "audit.read") ? <History productId={product.id} /> : null}
    </Page>
  );
}

function Actions({ product }: { product: Product }) {
  const user = useUser();
  const navigate = useNavigate();
  const remove = useWrite(() => client.products.delete(product), {
    onDone: () => {
      announce(t("{{sku}} deleted", { sku: product.sku }), { undo: () => send("POST", `/products/${product.id}/restore`, {}) });
      void navigate({ to: "/products" });
    },
  });
  return (
    <>
      <DialogButton label={t("Move stock")}>{(close) => <MovementDialog product={product} onClose={close} />}</DialogButton>
      <Button variant="default" component={Link} to="/labels" search={labelsSearch([{ id: product.id, copies: 1 }]) as never}>{t("Print labels")}</Button>
      {mayChange(user, product) ? <Button variant="default" component={Link} to={`/products/${product.id}/edit`}>{t("Edit")}</Button> : null}
      {mayChange(user, product) && Number(product.quantity_in_stock) === 0 ? <Button variant="default" loading={remove.isPending} onClick={() => remove.mutate(undefined)}>{t("Delete")}</Button> : null}
    </>
  );
}

function StockByWarehouse({ product }: { product: Product }) {
  if (product.stock.length === 0) return <Text c="dimmed">{t("No warehouse has had this product yet. Receive a purchase order, or move stock in.")}</Text>;
  return (
    <DataTable
      isCompact
      label={t("Stock by warehouse")}
      rows={product.stock}
      rowKey={(row) => row.warehouse_id}
      columns={[
        { key: "warehouse", label: t("Warehouse"), render: (row) => row.warehouse ?? row.warehouse_code ?? row.warehouse_id },
        { key: "on_hand", label: t("On hand"), isNumber: true, render: (row) => quantity(row.on_hand) },
        { key: "reserved", label: t("Reserved"), isNumber: true, render: (row) => quantity(row.reserved) },
        { key: "available", label: t("Available"), isNumber: true, render: (row) => <span className="strong">{quantity(row.available)}</span> },
      ]}
      footer={<tr><th scope="row">{t("Total")}</th><td className="number" data-label={t("On hand")}>{quantity(product.quantity_in_stock)}</td><td /><td className="number" data-label={t("Available")}>{quantity(product.available)}</td></tr>}
    />
  );
}

function Movements({ movements, withCost }: { movements: Movement[]; withCost: boolean }) {
  const warehouses = useWarehouses();
  if (movements.length === 0) return <Text c="dimmed">{t("Nothing was moved yet.")}</Text>;
  return (
    <DataTable
      isCompact
      label={t("Movements of this product")}
      rows={movements}
      rowKey={(row) => row.id}
      columns={[
        { key: "at", label: t("When"), render: (row) => <span className="nowrap">{moment(row.occurred_at)}</span> },
        { key: "type", label: t("Kind"), render: (row) => movementLabel(row.movement_type) },
        { key: "warehouse", label: t("Warehouse"), isWideOnly: true, render: (row) => warehouses.nameOf(row.warehouse_id) },
        { key: "document", label: t("Document"), isWideOnly: true, render: (row) => <DocumentLink document={row.document} reference={row.reference_number} /> },
        ...(withCost ? [{ key: "cost", label: t("Unit cost"), isNumber: true, isWideOnly: true, render: (row: Movement) => money(row.unit_cost) }] : []),
        { key: "quantity", label: t("Quantity"), isNumber: true, render: (row) => <Signed value={row.quantity} /> },
        { key: "balance", label: t("Balance"), isNumber: true, render: (row) => quantity(row.balance) },
      ]}
    />
  );
}

function Picture({ product }: { product: Product }) {
  const user = useUser();
  const upload = useWrite(
    async (file: File) => client.request("PUT", `/products/${product.id}/image`, { body: await file.arrayBuffer(), headers: { "Content-Type": file.type } }),
    { done: () => t("Picture saved") },
  );
  const remove = useWrite(() => send("DELETE", `/products/${product.id}/image`), { done: () => t("Picture removed") });
  if (!product.image_url && !mayChange(user, product)) return null;
  return (
    <div style={{ maxWidth: 200 }}>
      {product.image_url ? <img className="thumbnail large" alt={product.name} src={imageUrl(`${product.image_url}&size=medium`)} /> : null}
      {mayChange(user, product) ? (
        <Group gap={4} mt={4}>
          <Button component="label" size="xs" variant="default" loading={upload.isPending}>
            {product.image_url ? t("Replace") : t("Add a picture")}
            <input type="file" accept="image/png,image/jpeg,image/webp" hidden aria-label={t("Picture")} onChange={(event) => { const file = event.currentTarget.files?.[0]; if (file) upload.mutate(file); }} />
          </Button>
          {product.image_url ? <Button size="xs" variant="subtle" onClick={() => remove.mutate(undefined)}>{t("Remove")}</Button> : null}
        </Group>
      ) : null}
    </div>
  );
}

function History({ productId }: { productId: number }) {
  const entries = useRead<ApiPage<Schemas["AuditEntryResponse"]>>("/audit-logs", { subject: `product/${productId}`, type: "catalog.product.updated", page_size: 10 });
  if (!entries.data?.items.length) return null;
  return (
    <Section title={t("Changes of the product data")}>
      <DataTable
        isCompact
        label={t("Changes")}
        rows={entries.data.items}
        rowKey={(row) => row.id}
        columns={[
          { key: "at", label: t("When"), render: (row) => <span className="nowrap">{moment(row.at)}</span> },
          { key: "who", label: t("Who"), render: (row) => row.actor ?? "–" },
          { key: "what", label: t("What"), render: (row) => <Changes changes={row.changes} /> },
        ]}
      />
    </Section>
  );
}
