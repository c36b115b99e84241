/** What the roles may do, as the API enforces it. */
import type { User } from "./api.ts";

type Role = "salesperson" | "manager" | "admin";

/** The lowest role of each permission; roles are ordered, each has the permissions of those before it. */
const LOWEST_ROLE = {
  "product.read": "salesperson",
  "product.create": "salesperson",
  "product.update": "manager",
  "product.import": "manager",
  "cost.read": "manager",
  "sale.create": "salesperson",
  "stock.read": "salesperson",
  "stock.write": "manager",
  "warehouse.write": "manager",
  "purchase.write": "manager",
  "expense.write": "manager",
  "customer.write": "salesperson",
  "report.read": "salesperson",
  "user.write": "admin",
  "settings.write": "admin",
  "webhook.write": "admin",
  "audit.read": "admin",
  "system.read": "admin",
  "event.read": "salesperson",
} as const satisfies Record<string, Role>;

export type Permission = keyof typeof LOWEST_ROLE;
const ORDER: readonly string[] = ["salesperson", "manager", "admin"] satisfies Role[];

export function may(user: User, permission: Permission): boolean {
  return ORDER.indexOf(user.role) >= ORDER.indexOf(LOWEST_ROLE[permission]);
}

/** Salespeople change what they own, managers everything. */
export function mayChange(user: User, owned: { owner_id: number | null }): boolean {
  return may(user, "product.update") || owned.owner_id === user.id;
}
