/** Words for the codes of the API. */
import { t } from "../app/i18n.ts";

const MOVEMENTS: Record<string, string> = {
  purchase: t("Purchase"),
  return: t("Return"),
  transfer_in: t("Transfer in"),
  in: t("In"),
  sale: t("Sale"),
  damaged: t("Damaged"),
  transfer_out: t("Transfer out"),
  out: t("Out"),
  adjustment: t("Adjustment"),
};

const STATES: Record<string, [string, string]> = {
  completed: [t("Completed"), "good"],
  partially_returned: [t("Partly returned"), "warn"],
  returned: [t("Returned"), "warn"],
  voided: [t("Voided"), "bad"],
  pending: [t("Pending"), "warn"],
  in_transit: [t("In transit"), "warn"],
  received: [t("Received"), "good"],
  cancelled: [t("Cancelled"), "dim"],
  draft: [t("Draft"), "dim"],
  ordered: [t("Ordered"), "warn"],
  partially_received: [t("Partly received"), "warn"],
  on_hand: [t("On hand"), ""],
  open: [t("Open"), "warn"],
  approved: [t("Approved"), "good"],
  held: [t("Held"), "warn"],
  active: [t("Active"), "good"],
  released: [t("Released"), "dim"],
  committed: [t("Committed"), "good"],
  expired: [t("Expired"), "dim"],
  queued: [t("Queued"), "dim"],
  running: [t("Running"), "warn"],
  finished: [t("Finished"), "good"],
  done: [t("Finished"), "good"],
  failed: [t("Failed"), "bad"],
  delivered: [t("Delivered"), "good"],
};

const PAYMENTS: Record<string, string> = { cash: t("Cash"), card: t("Card"), transfer: t("Bank transfer") };

export const paymentLabel = (method: string | null | undefined): string | undefined => (method ? (PAYMENTS[method] ?? method) : undefined);
export const paymentOptions = Object.entries(PAYMENTS).map(([value, label]) => ({ value, label }));
export const movementLabel = (type: string): string => MOVEMENTS[type] ?? type;
export const movementOptions = Object.entries(MOVEMENTS).map(([value, label]) => ({ value, label }));
export const stateLabel = (state: string): string => STATES[state]?.[0] ?? state;
export const stateTone = (state: string): string => STATES[state]?.[1] ?? "";
export const stateOptions = (...states: string[]) => states.map((value) => ({ value, label: stateLabel(value) }));
