/** A page with a list of the API: filters, sorting and page in the address, and the visible rows as CSV. */
import { type ReactNode, useState } from "react";
import { Button, Group, Paper, Stack, Text } from "@mantine/core";
import type { Page as ApiPage } from "../app/api.ts";
import { integer } from "../app/format.ts";
import { t } from "../app/i18n.ts";
import { type Search, usePath, useSearchState } from "../app/location.ts";
import { announce, useRead } from "../app/reads.ts";
import { chosenColumns, ColumnChoice } from "./columns.tsx";
import { type Filter, Filters } from "./filters.tsx";
import { EmptyState, Loaded, Page } from "./page.tsx";
import { type Column, DataTable, saveFile, toCsv } from "./table.tsx";
import { Views } from "./views.tsx";

const PAGE_SIZE = 25;

interface ListProps<Row> {
  title: string;
  lead?: ReactNode;
  /** Below `/api/v1`. */
  path: string;
  /** Parameters besides those of the filters. */
  query?: Search;
  columns: Column<Row>[];
  rowKey?: (row: Row) => number | string;
  filters?: Filter[];
  defaultSort?: string;
  /** What to do while there are no rows at all. */
  empty: { title: string; text: ReactNode; action?: ReactNode };
  actions?: ReactNode;
  bulk?: (rows: Row[], clear: () => void) => ReactNode;
  /** The page whose saved views the list offers. */
  page?: string;
}

export function ListPage<Row extends { id?: number }>(props: ListProps<Row>) {
  const page = usePath();
  return (
    <Page title={props.title} lead={props.lead} actions={props.actions}>
      <List page={page} {...props} />
    </Page>
  );
}

export function List<Row extends { id?: number }>(props: ListProps<Row>) {
  const [search, change] = useSearchState();
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const filters = props.filters ?? [];
  const given = Object.fromEntries(filters.filter(({ name }) => search[name]).map(({ name }) => [name, search[name] as string]));
  const sortBy = search.sort_by ?? props.defaultSort;
  const query = { ...props.query, ...given, page: search.page || "1", page_size: String(PAGE_SIZE), ...(sortBy ? { sort_by: sortBy } : {}) };
  const read = useRead<ApiPage<Row>>(props.path, query);
  const rowKey = props.rowKey ?? ((row: Row) => row.id as number);
  const columns = chosenColumns(props.columns, search.columns);
  const save = (rows: Row[]): void => {
    saveFile(`${props.path.slice(1).replaceAll("/", "-")}.csv`, toCsv(columns, rows));
    announce(t("Saved: exactly the {{rows}} and the columns that you see.", { rows: t("rows", { count: rows.length }) }));
  };
  return (
    <Stack gap="sm">
      <div className="list-bar no-print">
        {filters.length ? <Filters filters={filters} /> : <span />}
        {props.page ? <Group gap="xs" wrap="nowrap"><Views path={props.page} /><ColumnChoice columns={props.columns} /></Group> : null}
      </div>
      <Loaded read={read}>
        {(page) => {
          if (page.total === 0 && !Object.keys(given).length) return <EmptyState {...props.empty} />;
          if (page.items.length === 0) return <NothingFound />;
          const clear = (): void => setChosen(new Set());
          const rows = page.items.filter((row) => chosen.has(rowKey(row) as number));
          return (
            <>
              {props.bulk && rows.length ? (
                <Paper py="xs" className="no-print"><Group gap="sm"><Text size="sm" fw={600}>{t("{{count}} selected", { count: rows.length })}</Text>{props.bulk(rows, clear)}<Button variant="subtle" onClick={clear}>{t("Clear selection")}</Button></Group></Paper>
              ) : null}
              <DataTable
                label={props.title}
                columns={columns}
                rows={page.items}
                rowKey={rowKey}
                sortBy={sortBy}
                onSort={(next) => change({ sort_by: next, page: "" })}
                selection={props.bulk ? { chosen, change: setChosen } : undefined}
              />
              <Footer page={page} onPage={(number) => change({ page: String(number) }, { replace: false })}>
                <Button variant="subtle" size="xs" onClick={() => save(page.items)}>{t("Save these rows as CSV")}</Button>
              </Footer>
            </>
          );
        }}
      </Loaded>
    </Stack>
  );
}

function NothingFound() {
  return <EmptyState title={t("Nothing found")} text={t("No row matches these filters. Change or clear them.")} />;
}

function Footer({ page, onPage, children }: { page: ApiPage<unknown>; onPage: (page: number) => void; children: ReactNode }) {
  const first = (page.page - 1) * page.page_size + 1;
  const last = first + page.items.length - 1;
  const isLast = last >= page.total;
  return (
    <Group justify="space-between" className="no-print">
      <Group gap="xs">
        <Text size="sm" c="dimmed">
          {t("{{first}}–{{last}} of {{total}}", { first: integer(first), last: integer(last), total: integer(page.total) })}
        </Text>
        {children}
      </Group>
      {page.total > page.page_size ? (
        <Group gap="xs" component="nav" aria-label={t("Pages of the list")}>
          <Button variant="default" size="xs" disabled={page.page <= 1} onClick={() => onPage(page.page - 1)}>{t("Previous")}</Button>
          <Button variant="default" size="xs" disabled={isLast} onClick={() => onPage(page.page + 1)}>{t("Next")}</Button>
        </Group>
      ) : null}
    </Group>
  );
}
