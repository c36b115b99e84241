/** The stock on hand of a product over its last movements, with receipts and sales, and the forecast's days of supply. */
import { useMemo } from "react";
import { Text } from "@mantine/core";
import type { Schemas } from "../../app/api.ts";
import { integer, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useRead } from "../../app/reads.ts";
import { Chart, type Series } from "../../parts/chart.tsx";

type Movement = Schemas["MovementResponse"];

/** Per day, oldest first: the stock at its end, what came in and what went out. Movements are newest first. */
export function dailyStock(movements: Pick<Movement, "occurred_at" | "quantity">[], onHandNow: number) {
  const days = new Map<string, { stock: number; received: number; taken: number }>();
  let stock = onHandNow;
  for (const movement of movements) {
    const day = movement.occurred_at.slice(0, 10);
    const totals = days.get(day) ?? { stock, received: 0, taken: 0 };
    const moved = Number(movement.quantity);
    if (moved > 0) totals.received += moved;
    else totals.taken -= moved;
    days.set(day, totals);
    stock -= moved;
  }
  return [...days.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([day, totals]) => ({ day, ...totals }));
}

export default function StockChart({ movements, product }: { movements: Movement[]; product: Schemas["ProductResponse"] }) {
  const daily = useMemo(() => dailyStock(movements, Number(product.quantity_in_stock)), [movements, product.quantity_in_stock]);
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
    <Text size="sm" mt="xs">
      {t("Expected demand in 30 days: {{total}} ({{low}} to {{high}}).", { total: whole(data.total), low: whole(data.total_interval.low), high: whole(data.total_interval.high) })}{" "}
      <span className={daysLeft < 7 ? "bad strong" : ""}>{t("The stock lasts about {{days}}.", { days: t("days", { count: daysLeft }) })}</span>
    </Text>
  );
}
