/** Why a report or an export in the background failed, in a sentence. */
import { t, translated } from "../app/i18n.ts";

const FAILURES: Record<string, string> = {
  result_too_large: t("The result is larger than 256 MiB. Choose a shorter period or fewer products."),
  job_interrupted: t("It was interrupted five times. Try a shorter period."),
  forbidden: t("It asks for what its owner may not see."),
  validation_error: t("Its settings are not valid any more. Check the warehouse and the period."),
  service_unavailable: t("A part of the system was not available."),
  service_timeout: t("It took too long. Choose a shorter period."),
};

/** `code` is that of the problem; `detail` explains one that has no sentence here. */
export function failureReason(code: string, detail?: string): string {
  return FAILURES[code] ?? translated("problem", code, detail ?? t("An unexpected error occurred. Tell an admin if it happens again."));
}
