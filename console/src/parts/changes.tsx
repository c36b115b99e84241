/** What an entry of the audit trail changed. */
import { t, translated } from "../app/i18n.ts";

type Change = { from?: unknown; to?: unknown } | null;

const MAX_NAMES = 3;
const show = (value: unknown): string => (value === null || value === undefined || value === "" ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));
const words = (name: string): string => translated("field", name, name.replaceAll("_", " "));
const entriesOf = (changes: unknown): [string, Change][] => Object.entries((changes ?? {}) as Record<string, Change>);

/** One line for each field. */
export function Changes({ changes }: { changes: unknown }) {
  return (
    <>
      {entriesOf(changes).map(([name, change]) => (
        <div key={name} style={{ overflowWrap: "anywhere" }}>
          <span className="dim">{words(name)}: </span>
          {change && typeof change === "object" && "to" in change ? (change.from === null || change.from === undefined ? show(change.to) : `${show(change.from)} → ${show(change.to)}`) : show(change)}
        </div>
      ))}
    </>
  );
}

/** The names of the fields, which open to their values. */
export function ChangeSummary({ changes }: { changes: unknown }) {
  const names = entriesOf(changes).map(([name]) => words(name));
  if (names.length === 0) return null;
  const rest = names.length - MAX_NAMES;
  return (
    <details className="changes">
      <summary>{names.slice(0, MAX_NAMES).join(", ")}{rest > 0 ? <span className="dim"> {t("and {{count}} more", { count: rest })}</span> : null}</summary>
      <Changes changes={changes} />
    </details>
  );
}
