/** The fields of a customer. */
import { t } from "../../app/i18n.ts";
import type { Field } from "../../parts/record.tsx";

export const CUSTOMER_FIELDS: Field[] = [
  { name: "name", label: t("Name"), isRequired: true },
  { name: "email", label: t("E-mail"), kind: "email" },
  { name: "phone", label: t("Phone") },
  { name: "address", label: t("Address"), kind: "area" },
  { name: "notes", label: t("Notes"), kind: "area" },
];
