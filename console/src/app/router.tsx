/** The routes: one folder of `pages` each, loaded when it is opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from "@tanstack/react-router";
import { PATH_PREFIX } from "./page.ts";
import { parseSearch, stringifySearch } from "./location.ts";
import { Gate } from "./gate.tsx";
import { ErrorNotice, Page } from "../parts/page.tsx";
import { loadOtherTexts, t } from "./i18n.ts";

const root = createRootRoute({
  component: () => (
    <Gate>
      <Outlet />
    </Gate>
  ),
  notFoundComponent: () => (
    <Page title={t("Page not found")}>
      <p>{t("No page has this address. The navigation and Ctrl-K lead to all pages.")}</p>
    </Page>
  ),
  errorComponent: ({ error, reset }) => <ErrorNotice error={error} onRetry={reset} />,
});

type Load = () => Promise<{ default: () => React.JSX.Element }>;

const PAGES: Record<string, Load> = {
  "/password-reset": () => import("../pages/password-reset/index.tsx"),
  "/confirm-email": () => import("../pages/confirm-email/index.tsx"),
  "/invitation": () => import("../pages/invitation/index.tsx"),
  "/": () => import("../pages/home/index.tsx"),
  "/scan": () => import("../pages/scan/index.tsx"),
  "/sell": () => import("../pages/sell/index.tsx"),
  "/products": () => import("../pages/products/index.tsx"),
  "/products/new": () => import("../pages/product-form/index.tsx"),
  "/products/$id": () => import("../pages/product/index.tsx"),
  "/products/$id/edit": () => import("../pages/product-form/index.tsx"),
  "/labels": () => import("../pages/labels/index.tsx"),
  "/sales": () => import("../pages/sales/index.tsx"),
  "/sales/$id": () => import("../pages/sale/index.tsx"),
  "/stock-levels": () => import("../pages/levels/index.tsx"),
  "/movements": () => import("../pages/movements/index.tsx"),
  "/transfers": () => import("../pages/transfers/index.tsx"),
  "/transfers/$id": () => import("../pages/transfer/index.tsx"),
  "/counts": () => import("../pages/counts/index.tsx"),
  "/counts/$id": () => import("../pages/count/index.tsx"),
  "/reservations": () => import("../pages/reservations/index.tsx"),
  "/warehouses": () => import("../pages/warehouses/index.tsx"),
  "/purchase-orders": () => import("../pages/purchase-orders/index.tsx"),
  "/purchase-orders/$id": () => import("../pages/purchase-order/index.tsx"),
  "/reorder": () => import("../pages/reorder/index.tsx"),
  "/suppliers": () => import("../pages/suppliers/index.tsx"),
  "/expenses": () => import("../pages/expenses/index.tsx"),
  "/customers": () => import("../pages/customers/index.tsx"),
  "/customers/$id": () => import("../pages/customer/index.tsx"),
  "/categories": () => import("../pages/categories/index.tsx"),
  "/reports": () => import("../pages/reports/index.tsx"),
  "/report-schedules": () => import("../pages/report-schedules/index.tsx"),
  "/jobs": () => import("../pages/jobs/index.tsx"),
  "/imports": () => import("../pages/imports/index.tsx"),
  "/users": () => import("../pages/users/index.tsx"),
  "/roles": () => import("../pages/roles/index.tsx"),
  "/apps": () => import("../pages/apps/index.tsx"),
  "/settings": () => import("../pages/settings/index.tsx"),
  "/webhooks": () => import("../pages/webhooks/index.tsx"),
  "/webhooks/$id": () => import("../pages/webhook/index.tsx"),
  "/audit": () => import("../pages/audit/index.tsx"),
  "/health-status": () => import("../pages/health/index.tsx"),
  "/events": () => import("../pages/events/index.tsx"),
  "/notifications": () => import("../pages/notifications/index.tsx"),
  "/account": () => import("../pages/account/index.tsx"),
};

/** Pages look their texts up when they are loaded. Those of the first page are there already. */
const withTexts = (load: Load): Load => async () => {
  await loadOtherTexts();
  return load();
};

const routes = Object.entries(PAGES).map(([path, load]) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(path === "/" ? load : withTexts(load)) }),
);

export const router = createRouter({
  routeTree: root.addChildren(routes),
  basepath: PATH_PREFIX || "/",
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  scrollRestoration: true,
});
