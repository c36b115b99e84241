/** The stock on hand of a product over a period, with receipts and sales, and the forecast's days of supply. */
import { useMemo, useState } from "react";
import { SegmentedControl, Text } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type Page as ApiPage, read, type Schemas } from "../../app/api.ts";
import { dayOf, integer, quantity, today } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useRead } from "../../app/reads.ts";
import { Chart, type Series } from "../../parts/chart.tsx";
import { Reasons } from "../../parts/reasons.tsx";
import { dailyStock, sensibleRange } from "./daily-stock.ts";

type Movement = Schemas["MovementResponse"];

const PAGE_SIZE = 100;
const MAX_PAGES = 20;
const DAY_MS = 86_400_000;
const LABELS: Record<string, string> = { 30: t("30 days"), 90: t("90 days"), 365: t("a year"), 0: t("all") };

/** The movements of the last `days`, newest first; 0: all. Of very many, the newest 2,000. */
async function loadMovements(productId: number, days: number): Promise<Movement[]> {
  const since = days ? { from: today(-days) } : {};
  const found: Movement[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const part: ApiPage<Movement> = await read("/stock-movements", { product_id: productId, page_size: PAGE_SIZE, sort_by: "occurred_desc", ...since, ...(cursor ? { cursor } : {}) });
    found.push(...part.items);
    cursor = part.next_cursor;
    if (cursor === null) break;
  }
  return found;
}

/** `recent`: the newest movements of the product. */
export default function StockChart({ recent, product }: { recent: Movement[]; product: Schemas["ProductResponse"] }) {
  const [chosen, setChosen] = useState<string>();
  const range = Number(chosen ?? sensibleRange(recent.map(({ occurred_at }) => (Date.now() - Date.parse(occurred_at)) / DAY_MS)));
  const hasAll = recent.length < PAGE_SIZE;
  const { data: more } = useQuery({ queryKey: ["stock-movements", "chart", product.id, range], queryFn: () => loadMovements(product.id, range), enabled: !hasAll, placeholderData: keepPreviousData });
  const movements = hasAll ? recent : (more ?? recent);
  const daily = useMemo(() => {
    const all = movements.map(({ occurred_at, quantity: moved }) => ({ day: dayOf(occurred_at), quantity: Number(moved) }));
    all.sort((a, b) => (a.day < b.day ? 1 : -1)); // the newest entries of the ledger may be about earlier days
    const isCut = movements.length >= PAGE_SIZE * MAX_PAGES || (!hasAll && !more);
    const first = range && !isCut ? today(-range) : (all.at(-1)?.day ?? today());
    return dailyStock(all.filter(({ day }) => day >= first), Number(product.quantity_in_stock), first, today());
  }, [movements, product.quantity_in_stock, range, hasAll, more]);
  const days = useMemo(() => daily.map(({ day }) => day), [daily]);
  const series = useMemo((): Series[] => {
    const format = (value: number): string => quantity(value);
    return [
      { label: t("On hand"), kind: "step", values: daily.map(({ stock }) => stock), format },
      { label: t("Taken"), kind: "bars", values: daily.map(({ taken }) => taken || null), format },
      { label: t("Received"), kind: "bars", values: daily.map(({ received }) => received || null), format },
    ];
  }, [daily]);
  return (
    <>
      <SegmentedControl className="no-print" size="xs" mb="xs" aria-label={t("Period of the chart")} value={String(range)} onChange={setChosen} data={["30", "90", "365", "0"].map((value) => ({ value, label: LABELS[value] as string }))} />
      <Chart label={t("Stock on hand of {{name}} by day", { name: product.name })} days={days} series={series} />
      <Forecast product={product} />
    </>
  );
}

const whole = (value: string | number): string => integer(Math.round(Number(value)));

function Forecast({ product }: { product: Schemas["ProductResponse"] }) {
  const { data } = useRead<Schemas["ForecastResponse"]>(`/forecasts/${product.id}`, { horizon_days: 30 });
  if (!data || Number(data.demand_per_day) === 0) return null;
  const daysLeft = Math.floor(Number(product.available) / Number(data.demand_per_day));
  return (
    <>
      <Text size="sm" mt="xs">
        {t("Expected demand in 30 days: {{total}} ({{low}} to {{high}}).", { total: whole(data.total), low: whole(data.total_interval.low), high: whole(data.total_interval.high) })}{" "}
        <span className={daysLeft < 7 ? "bad strong" : ""}>{t("The stock lasts about {{days}}.", { days: t("days", { count: daysLeft }) })}</span>
      </Text>
      <Reasons reasons={data.explanation} />
    </>
  );
}
