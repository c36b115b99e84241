/** The first page: today against the same day last week, what waits, and the last thirty days. */
import { lazy, type ReactNode, Suspense, useMemo } from "react";
import { Button, Group, Paper, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../app/api.ts";
import { ago, integer, moment, money, percent, quantity, today } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { may } from "../../app/permissions.ts";
import { useRead, useWarehouses } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { EmptyState, Loaded, Loading, Page, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";
import { movementLabel } from "../../parts/words.ts";

const Chart = lazy(() => import("../../parts/chart.tsx").then(({ Chart }) => ({ default: Chart })));
const DAYS_OF_A_WEEK = 7;

type Stats = Schemas["DashboardResponse"];

export default function HomePage() {
  const user = useUser();
  const seesFigures = may(user, "report.read");
  const read = useRead<Stats>(seesFigures ? "/dashboard/stats" : undefined);
  return (
    <Page title={t("Home")} lead={t("Hello {{name}}", { name: user.full_name || user.username })}>
      {seesFigures ? null : <EmptyState title={t("Welcome")} text={t("Your role has no figures on this page. The navigation shows what you may see.")} />}
      {seesFigures ? <Loaded read={read}>{(stats) => (stats.total_products === 0 ? <FirstSteps /> : <Overview stats={stats} />)}</Loaded> : null}
    </Page>
  );
}

function FirstSteps() {
  const user = useUser();
  return (
    <EmptyState
      title={t("Add what you sell")}
      text={t("Import a list of products from a spreadsheet or from another shop system, or enter the first one by hand. Sales, stock and reports follow from there.")}
      action={
        <Group>
          {may(user, "import.run") ? <Button component={Link} to="/imports">{t("Import products")}</Button> : null}
          <Button variant="default" component={Link} to="/products/new">{t("Enter a product")}</Button>
        </Group>
      }
    />
  );
}

function Overview({ stats }: { stats: Stats }) {
  const user = useUser();
  const withCost = may(user, "cost.read");
  const days = stats.sales_by_day;
  const lastWeek = days.at(-1 - DAYS_OF_A_WEEK);
  return (
    <>
      <div className="tiles">
        <Tile label={t("Takings today")} value={money(stats.sales_today.revenue)} hint={<Comparison now={Number(stats.sales_today.revenue)} before={Number(lastWeek?.revenue ?? 0)} />} to={`/sales?from=${today()}`} />
        <Tile label={t("Sales today")} value={integer(stats.sales_today.count)} hint={<Comparison now={stats.sales_today.count} before={lastWeek?.count ?? 0} />} to={`/sales?from=${today()}`} />
        {withCost ? <ProfitTile /> : null}
        <Tile label={t("Low stock")} value={integer(stats.low_stock_count)} tone={stats.low_stock_count ? "warn" : ""} hint={t("{{count}} of them sold out", { count: integer(stats.out_of_stock_count) })} to="/products?low_stock=true&sort_by=stock_asc" />
        <Tile label={t("Waiting")} value={integer(stats.pending_transfers + stats.open_purchase_orders)} hint={t("Transfers: {{transfers}}, purchase orders: {{orders}}", { transfers: stats.pending_transfers, orders: stats.open_purchase_orders })} to={stats.pending_transfers || !withCost ? "/transfers?status=pending" : "/purchase-orders?status=ordered"} />
        {withCost ? <Tile label={t("Value of the stock")} value={money(stats.inventory_value)} hint={t("{{units}} units", { units: quantity(stats.total_units) })} to="/reports?report=inventory-valuation" /> : null}
      </div>
      <Section title={t("Takings of the last 30 days")}>
        {days.some(({ revenue }) => Number(revenue) !== 0) ? <Takings days={days} /> : <Text c="dimmed">{t("Nothing was sold in the last 30 days. The first sale appears here at once.")}</Text>}
      </Section>
      <div className="columns">
        <TopProducts stats={stats} />
        <RecentMovements stats={stats} />
      </div>
    </>
  );
}

function Takings({ days }: { days: Stats["sales_by_day"] }) {
  const times = useMemo(() => days.map(({ date }) => date), [days]);
  const series = useMemo(
    () => [{ label: t("Takings"), values: days.map(({ revenue }) => Number(revenue)), kind: "bars" as const, format: (value: number) => money(value) }],
    [days],
  );
  return (
    <Suspense fallback={<Loading />}>
      <Chart label={t("Takings of the last 30 days")} days={times} series={series} />
    </Suspense>
  );
}

function ProfitTile() {
  const read = useRead<Schemas["ReportResponse"]>("/reports/profit", { from: today(), group_by: "day" });
  const totals = read.data?.totals as { gross_profit?: string; profit?: string } | undefined;
  return <Tile label={t("Profit today")} value={totals ? money(totals.gross_profit ?? totals.profit) : "…"} hint={t("before expenses")} to={`/reports?report=profit&from=${today(-30)}`} />;
}

function Comparison({ now, before }: { now: number; before: number }) {
  if (!before) return <>{t("nothing on this day last week")}</>;
  const change = (now - before) / before;
  return <span className={change < 0 ? "bad" : "good"}>{t("{{change}} on this day last week", { change: percent(change) })}</span>;
}

function Tile(props: { label: string; value: string; hint?: ReactNode; to: string; tone?: string }) {
  const [path, query] = props.to.split("?");
  return (
    <Link className="tile" to={path as string} search={Object.fromEntries(new URLSearchParams(query)) as never}>
      <Paper h="100%">
        <Text size="sm" c="dimmed">{props.label}</Text>
        <div className={`tile-value ${props.tone ?? ""}`}>{props.value}</div>
        <Text size="xs" c="dimmed">{props.hint}</Text>
      </Paper>
    </Link>
  );
}

function TopProducts({ stats }: { stats: Stats }) {
  return (
    <Section title={t("Best sellers of the last 30 days")}>
      {stats.top_products.length === 0 ? (
        <Text c="dimmed">{t("Nothing was sold yet.")}</Text>
      ) : (
        <DataTable
          isCompact
          label={t("Products by takings")}
          rows={stats.top_products}
          rowKey={(row) => row.product_id}
          columns={[
            { key: "name", label: t("Product"), render: (row) => <Link to={`/products/${row.product_id}`}><div className="clip">{row.name}</div></Link> },
            { key: "quantity", label: t("Sold"), isNumber: true, render: (row) => quantity(row.quantity) },
            { key: "revenue", label: t("Takings"), isNumber: true, render: (row) => money(row.revenue) },
          ]}
        />
      )}
    </Section>
  );
}

function RecentMovements({ stats }: { stats: Stats }) {
  const warehouses = useWarehouses();
  return (
    <Section title={t("Last movements")} actions={<Link to="/movements" style={{ fontSize: "0.85rem", color: "var(--mantine-color-anchor)" }}>{t("All movements")}</Link>}>
      <DataTable
        isCompact
        label={t("The last movements")}
        rows={stats.recent_movements}
        rowKey={(row) => row.id}
        columns={[
          { key: "sku", label: t("Product"), render: (row) => <Link to={`/products/${row.product_id}`} className="nowrap">{row.sku}</Link> },
          { key: "type", label: t("Kind"), render: (row) => <span className="nowrap">{movementLabel(row.movement_type)}</span> },
          { key: "quantity", label: t("Quantity"), isNumber: true, render: (row) => <span className={String(row.quantity).startsWith("-") ? "bad" : "good"}>{quantity(row.quantity, { sign: true })}</span> },
          { key: "warehouse", label: t("Warehouse"), isWideOnly: true, render: (row) => <div className="clip">{warehouses.nameOf(row.warehouse_id)}</div> },
          { key: "at", label: t("When"), isWideOnly: true, render: (row) => <span className="nowrap" title={moment(row.occurred_at)}>{ago(row.occurred_at)}</span> },
        ]}
      />
    </Section>
  );
}
