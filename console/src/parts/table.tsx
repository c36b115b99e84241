/** A plain table: columns with alignment, sorting by the server, and rows that can be selected. */
import type { ReactNode } from "react";
import { t } from "../app/i18n.ts";

export interface Column<Row> {
  key: string;
  label: string;
  render: (row: Row) => ReactNode;
  /** The value in an exported file; without it the column is left out there. */
  text?: (row: Row) => string | number | null | undefined;
  isNumber?: boolean;
  /** Hidden on narrow screens. */
  isWideOnly?: boolean;
  /** Buttons: without a label beside them on a phone. */
  isAction?: boolean;
  /** The API's `sort_by` without its direction. */
  sort?: string;
}

export interface Selection {
  chosen: ReadonlySet<number>;
  change: (chosen: ReadonlySet<number>) => void;
}

interface TableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => number | string;
  sortBy?: string | undefined;
  onSort?: (sortBy: string) => void;
  selection?: Selection | undefined;
  footer?: ReactNode;
  isCompact?: boolean;
}

/** A phone shows rows with more columns, or with buttons, as blocks with the labels beside the values. */
const MAX_NARROW_COLUMNS = 3;

const classOf = (column: Column<never>): string =>
  [column.isNumber ? "number" : "", column.isWideOnly ? "wide-only" : "", column.isAction ? "action" : ""].join(" ").trim();

export function DataTable<Row>(props: TableProps<Row>) {
  const { columns, rows, selection } = props;
  const narrow = columns.filter(({ isWideOnly }) => !isWideOnly);
  const isStacked = narrow.length + (selection ? 1 : 0) > MAX_NARROW_COLUMNS || narrow.some(({ isAction }) => isAction);
  return (
    <div className="table-frame" role="region" aria-label={t("Table: {{label}}", { label: props.label })} tabIndex={0}>
      <table className={`data-table ${props.isCompact ? "compact" : ""} ${isStacked ? "stacked" : ""}`}>
        <thead>
          <tr>
            {selection ? <th className="choice"><SelectAll rows={rows} selection={selection} keyOf={props.rowKey as (row: Row) => number} /></th> : null}
            {columns.map((column) => (
              <Header key={column.key} column={column as Column<never>} sortBy={props.sortBy} onSort={props.onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const key = props.rowKey(row);
            const isChosen = selection?.chosen.has(key as number);
            return (
              <tr key={key} data-selected={isChosen || undefined}>
                {selection ? (
                  <td className="choice">
                    <input type="checkbox" checked={isChosen} aria-label={t("Select row {{key}}", { key })} onChange={() => toggle(selection, key as number)} />
                  </td>
                ) : null}
                {columns.map((column) => (
                  <td key={column.key} className={classOf(column as Column<never>)} data-label={column.label}>{column.render(row)}</td>
                ))}
              </tr>
            );
          })}
        </tbody>
        {props.footer ? <tfoot>{props.footer}</tfoot> : null}
      </table>
    </div>
  );
}

function toggle(selection: Selection, key: number): void {
  const chosen = new Set(selection.chosen);
  if (!chosen.delete(key)) chosen.add(key);
  selection.change(chosen);
}

function SelectAll<Row>({ rows, selection, keyOf }: { rows: Row[]; selection: Selection; keyOf: (row: Row) => number }) {
  const isAll = rows.length > 0 && rows.every((row) => selection.chosen.has(keyOf(row)));
  return (
    <input type="checkbox" checked={isAll} aria-label={t("Select all rows of this page")} onChange={() => selection.change(isAll ? new Set() : new Set(rows.map(keyOf)))} />
  );
}

function Header({ column, sortBy, onSort }: { column: Column<never>; sortBy: string | undefined; onSort: ((sortBy: string) => void) | undefined }) {
  const { sort } = column;
  const className = classOf(column);
  if (sort === undefined || onSort === undefined) return <th scope="col" className={className}>{column.label}</th>;
  const direction = sortBy === `${sort}_asc` ? "ascending" : sortBy === `${sort}_desc` ? "descending" : "none";
  const next = direction === "ascending" ? `${sort}_desc` : `${sort}_asc`;
  return (
    <th scope="col" className={className} aria-sort={direction}>
      <button type="button" className="sort" onClick={() => onSort(next)}>
        {column.label}
        <span aria-hidden="true">{direction === "ascending" ? "↑" : direction === "descending" ? "↓" : "↕"}</span>
      </button>
    </th>
  );
}

/** The rows as CSV (RFC 4180). A cell that a spreadsheet would run as a formula begins with an apostrophe. */
export function toCsv<Row>(columns: Column<Row>[], rows: Row[]): string {
  const exported = columns.filter((column) => column.text !== undefined);
  const cell = (value: unknown): string => {
    const text = String(value ?? "");
    const safe = /^[=+@\t\r]|^-(?![\d.])/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const lines = [exported.map((column) => cell(column.label)), ...rows.map((row) => exported.map((column) => cell(column.text?.(row))))];
  return `${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
}

export function saveFile(name: string, content: string, type = "text/csv;charset=utf-8"): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
