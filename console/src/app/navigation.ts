/** The pages of the navigation, by group, with the permission that shows them. */
import type { IconName } from "./icons.tsx";
import { t } from "./i18n.ts";
import type { Permission } from "./permissions.ts";

export interface Destination {
  path: string;
  label: string;
  icon: IconName;
  /** Any of several. */
  permission?: Permission | Permission[];
  /** Second key after `g`. */
  key?: string;
}

export const NAVIGATION: { label: string; items: Destination[] }[] = [
  {
    label: t("Every day"),
    items: [
      { path: "/", label: t("Home"), icon: "home", key: "h" },
      { path: "/scan", label: t("Scan"), icon: "scan", permission: "catalog.read", key: "c" },
      { path: "/sell", label: t("Sell"), icon: "sell", permission: "sale.create", key: "n" },
      { path: "/products", label: t("Products"), icon: "product", permission: "catalog.read", key: "p" },
      { path: "/sales", label: t("Sales"), icon: "sales", permission: "sale.read", key: "s" },
    ],
  },
  {
    label: t("Stock"),
    items: [
      { path: "/stock-levels", label: t("Stock levels"), icon: "levels", permission: "stock.read", key: "l" },
      { path: "/movements", label: t("Movements"), icon: "movements", permission: "stock.read", key: "m" },
      { path: "/transfers", label: t("Transfers"), icon: "transfer", permission: "stock.read", key: "t" },
      { path: "/counts", label: t("Counts"), icon: "count", permission: "stock.read", key: "i" },
      { path: "/reservations", label: t("Reservations"), icon: "reserve", permission: "stock.read" },
      { path: "/warehouses", label: t("Warehouses"), icon: "warehouse", permission: "stock.read" },
    ],
  },
  {
    label: t("Purchasing"),
    items: [
      { path: "/purchase-orders", label: t("Purchase orders"), icon: "order", permission: "purchase.read", key: "o" },
      { path: "/reorder", label: t("Reorder"), icon: "reorder", permission: "purchase.read", key: "r" },
      { path: "/suppliers", label: t("Suppliers"), icon: "people", permission: "catalog.read" },
      { path: "/expenses", label: t("Expenses"), icon: "money", permission: "expense.read" },
    ],
  },
  {
    label: t("Records"),
    items: [
      { path: "/customers", label: t("Customers"), icon: "people", permission: "customer.read", key: "k" },
      { path: "/categories", label: t("Categories"), icon: "tag", permission: "catalog.read" },
      { path: "/reports", label: t("Reports"), icon: "report", permission: "report.read", key: "e" },
      { path: "/report-schedules", label: t("Scheduled reports"), icon: "clock", permission: "report.read" },
    ],
  },
  {
    label: t("Administration"),
    items: [
      { path: "/imports", label: t("Imports"), icon: "upload", permission: "import.run" },
      { path: "/users", label: t("Users"), icon: "people", permission: "user.read" },
      { path: "/roles", label: t("Roles"), icon: "role", permission: "user.read" },
      { path: "/apps", label: t("Apps"), icon: "app", permission: "app.manage" },
      { path: "/settings", label: t("Settings"), icon: "settings", permission: "setting.read" },
      { path: "/webhooks", label: t("Webhooks"), icon: "webhook", permission: "webhook.manage" },
      { path: "/audit", label: t("Audit trail"), icon: "audit", permission: "audit.read" },
    ],
  },
  {
    label: t("Operations"),
    items: [
      { path: "/health-status", label: t("Health"), icon: "health", permission: "system.read" },
      { path: "/events", label: t("Events"), icon: "events", permission: "event.read" },
    ],
  },
  {
    label: t("You"),
    items: [
      { path: "/notifications", label: t("Notifications"), icon: "bell" },
      { path: "/jobs", label: t("Background jobs"), icon: "hourglass", permission: ["report.read", "export.run"] },
      { path: "/account", label: t("Account"), icon: "account" },
    ],
  },
];
