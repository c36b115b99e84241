/** What notifications say, in the reader's language: made of their code and values. Announcements are shown as written. */
import type { Schemas } from "../../app/api.ts";
import { moment, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { failureReason } from "../../parts/failures.ts";
import { movementLabel } from "../../parts/words.ts";

type Notification = Schemas["NotificationResponse"];
type Values = Record<string, string>;
interface Wording {
  title: string;
  body: string;
}

const DOCUMENTS: Record<string, string> = {
  sale: t("Sale"),
  stock_transfer: t("Transfer"),
  purchase_order: t("Purchase order"),
  stock_count: t("Count"),
};

/** Values of the API are texts; numbers among them are formatted. */
const named = ({ product = "", warehouse = "" }: Values) => ({ product, warehouse });

function describeLevel(values: Values): string {
  const numbers = { ...named(values), onHand: quantity(values.on_hand), reserved: quantity(values.reserved), threshold: quantity(values.threshold) };
  if (values.reserved === "0") return t("{{onHand}} left in {{warehouse}}. The limit is {{threshold}}.", numbers);
  return t("{{onHand}} left in {{warehouse}}, {{reserved}} of them reserved. The limit is {{threshold}}.", numbers);
}

function describeMovement(values: Values): string {
  const [kind = "", id = ""] = values.document?.split("/") ?? [];
  const shown = {
    ...named(values),
    movement: movementLabel(values.movement_type ?? ""),
    quantity: quantity(values.quantity, { sign: true }),
    typical: quantity(values.typical_quantity),
    ratio: quantity(values.ratio),
    actor: values.actor ?? t("an unknown user"),
    document: kind ? `${DOCUMENTS[kind] ?? kind} ${id}` : "",
  };
  if (!kind) return t("{{movement}}: {{quantity}} in {{warehouse}} by {{actor}}, {{ratio}} times the usual {{typical}}.", shown);
  return t("{{movement}}: {{quantity}} in {{warehouse}} by {{actor}} ({{document}}), {{ratio}} times the usual {{typical}}.", shown);
}

const describeRows = ({ created = "", updated = "", unchanged = "", failed = "" }: Values): string =>
  t("{{created}} created, {{updated}} changed, {{unchanged}} unchanged, {{failed}} failed.", { created: quantity(created), updated: quantity(updated), unchanged: quantity(unchanged), failed: quantity(failed) });

/** `reason`: the code of why the system paused a schedule. */
const describePause = (reason: string | undefined): string =>
  reason === "owner_inactive" ? t("The report is no longer produced, because the account of its owner is not active.") : t("The report is no longer produced, because you may no longer read it.");

/** Other values of `reason` and `problem` come from other systems, or name rows of a file: they stay as they are. */
const WORDINGS: Record<NonNullable<Notification["code"]>, (values: Values) => Wording> = {
  low_stock: (values) => ({ title: t("Low stock: {{product}}", named(values)), body: describeLevel(values) }),
  out_of_stock: (values) => ({ title: t("Sold out: {{product}}", named(values)), body: describeLevel(values) }),
  unusual_activity: (values) => ({ title: t("Unusual movement: {{product}}", named(values)), body: describeMovement(values) }),
  import_finished: (values) => ({ title: t("Import finished"), body: describeRows(values) }),
  dry_run_finished: (values) => ({ title: t("Trial import finished"), body: describeRows(values) }),
  import_failed: ({ problem }) => ({ title: t("Import failed"), body: problem ?? t("No row was imported.") }),
  dry_run_failed: ({ problem }) => ({ title: t("Trial import failed"), body: problem ?? t("No row was imported.") }),
  webhook_failing: ({ host = "", reason = "" }) => ({ title: t("Webhook to {{host}} is failing", { host }), body: reason }),
  webhook_disabled: ({ host = "", reason = "" }) => ({ title: t("Webhook to {{host}} was disabled", { host }), body: t("{{reason}} It receives no events until an admin activates it again.", { reason }) }),
  email_failed: ({ recipient = "", attempts = "", reason = "" }) => ({ title: t("An e-mail was not sent"), body: t("To {{recipient}}, after {{attempts}} attempts: {{reason}}", { recipient, attempts, reason }) }),
  emails_delayed: ({ waiting_since, reason = "" }) => ({ title: t("E-mails are not sent"), body: t("The mail server accepts none since {{time}}: {{reason}}", { time: moment(waiting_since), reason }) }),
  report_ready: ({ name = "", expires_at }) => ({ title: t("Report: {{name}}", { name }), body: t("The report is ready. It can be downloaded until {{time}}.", { time: moment(expires_at) }) }),
  report_failed: ({ name = "", problem = "" }) => ({ title: t("Report failed: {{name}}", { name }), body: t("The report could not be produced. {{reason}}", { reason: failureReason(problem) }) }),
  report_schedule_paused: ({ name = "", reason }) => ({ title: t("Report paused: {{name}}", { name }), body: describePause(reason) }),
};

export function wordingOf({ code, values, title, body }: Notification): Wording {
  return code && code in WORDINGS ? WORDINGS[code](values) : { title, body };
}
