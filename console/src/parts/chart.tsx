/** A chart of series over time, with a table of the same data. Loaded by the pages that show one. */
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import { useComputedColorScheme } from "@mantine/core";
import uPlot from "uplot";
import { day, shortDay } from "../app/format.ts";
import { t } from "../app/i18n.ts";

export interface Series {
  label: string;
  /** One for each of the chart's times. */
  values: (number | null)[];
  kind?: "line" | "bars" | "step";
  format: (value: number) => string;
}

interface ChartProps {
  label: string;
  /** Days as `2024-06-30`, in order. */
  days: string[];
  series: Series[];
  height?: number;
}

const variable = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const seconds = (text: string): number => Date.parse(text) / 1000;

export function Chart({ label, days, series, height = 220 }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme("light");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the scheme changes the colours that are read from the page
  useEffect(() => {
    const element = frame.current;
    if (!element || days.length === 0) return;
    const data = [days.map(seconds), ...series.map(({ values }) => values)] as uPlot.AlignedData;
    const plot = new uPlot(optionsOf(series, days, { width: element.clientWidth, height }), data, element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [days, series, height, scheme]);
  return (
    <figure style={{ margin: 0 }}>
      <div ref={frame} className="chart" role="img" aria-label={label} />
      <details className="no-print">
        <summary className="dim" style={{ fontSize: "0.85rem", cursor: "pointer" }}>{t("Show the numbers")}</summary>
        <div className="table-frame" style={{ maxHeight: 280, overflow: "auto" }} role="region" aria-label={t("Table: {{label}}", { label })} tabIndex={0}>
          <table className="data-table compact">
            <thead>
              <tr><th scope="col">{t("Day")}</th>{series.map((one) => <th scope="col" key={one.label} className="number">{one.label}</th>)}</tr>
            </thead>
            <tbody>
              {days.map((one, index) => (
                <tr key={one}>
                  <td>{shortDay(one)}</td>
                  {series.map((each) => <td key={each.label} className="number">{show(each, index)}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

const LONG_SECONDS = 300 * 86_400;
/** On both sides, for whole bars. */
const HALF_DAY_SECONDS = 43_200;
const isLong = (ticks: number[]): boolean => (ticks.at(-1) ?? 0) - (ticks[0] ?? 0) > LONG_SECONDS;

function show(series: Series, index: number): string {
  const value = series.values[index];
  return value === null || value === undefined ? "–" : series.format(value);
}

function optionsOf(series: Series[], days: string[], size: { width: number; height: number }): uPlot.Options {
  // Of the data: uPlot would show a single day within years.
  const [first, last] = [seconds(days[0] as string) - HALF_DAY_SECONDS, seconds(days.at(-1) as string) + HALF_DAY_SECONDS];
  const ink = variable("--mantine-color-dimmed");
  const line = variable("--console-line");
  const colours = [variable("--console-series"), variable("--console-series-2"), variable("--console-good")];
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  return {
    ...size,
    cursor: { y: false },
    legend: { show: true, live: true },
    scales: { x: { time: true, range: () => [first, last] }, y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.05 : 1] } },
    axes: [
      { ...axis, size: 32, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => (isLong(ticks) ? day(new Date(tick * 1000).toISOString().slice(0, 10)) : shortDay(tick * 1000))), space: 90 },
      { ...axis, size: 70, values: (_, ticks) => ticks.map((tick) => series[0]?.format(tick) ?? "") },
    ],
    series: [
      { label: t("Day"), value: (_, value) => (value === null ? "–" : shortDay(value * 1000)) },
      ...series.map((one, index): uPlot.Series => ({
        label: one.label,
        stroke: colours[index % colours.length] as string,
        width: 2,
        points: { show: false },
        value: (_, value) => (value === null ? "–" : one.format(value)),
        ...(one.kind === "bars" ? { fill: `${colours[index % colours.length]}66`, paths: (uPlot.paths.bars as uPlot.Series.BarsPathBuilderFactory)({ size: [0.7, 40] }) } : {}),
        ...(one.kind === "step" ? { fill: `${colours[index % colours.length]}22`, paths: (uPlot.paths.stepped as uPlot.Series.SteppedPathBuilderFactory)({ align: 1 }) } : {}),
      })),
    ],
  };
}
