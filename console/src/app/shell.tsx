/** The frame around every page: header, navigation by permission, and the state of the connection. */
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useState } from "react";
import { ActionIcon, AppShell, Burger, Button, Group, Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useIsFetching, useQueryClient } from "@tanstack/react-query";
import { opensOffline } from "../offline/registration.ts";
import { Link, useLocation, useNavigate } from "@tanstack/react-router";
import { resumeQueue, useQueueState } from "../scanning/queue.ts";
import { ago } from "./format.ts";
import { loadOtherTexts, t } from "./i18n.ts";
import { Icon } from "./icons.tsx";
import { connect, useLiveState } from "./live.ts";
import { NAVIGATION } from "./navigation.ts";
import { may, mayOpen } from "./permissions.ts";
import { useLogout, useUser } from "./session.tsx";
import { useShortcuts } from "./shortcuts.ts";
import { useStepUp } from "./step-up.ts";
import { announce, useRead } from "./reads.ts";
import { startTypeAhead } from "./type-ahead.ts";

const loadPalette = () => import("./palette.tsx");
const Palette = lazy(loadPalette);
const Help = lazy(() => import("./help.tsx"));
const StepUpDialog = lazy(() => import("./step-up-dialog.tsx"));

export function Shell({ children }: { children: ReactNode }) {
  const [isNavOpen, nav] = useDisclosure(false);
  const [dialog, setDialog] = useState<"palette" | "help" | null>(null);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const path = useLocation({ select: ({ pathname }) => pathname });
  const { id: userId } = useUser();
  useEffect(() => connect(queries), [queries]);
  useEffect(() => void resumeQueue(userId), [userId]);
  useEffect(() => void loadPalette(), []);
  useEffect(() => void loadOtherTexts(), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the navigation of a phone
  useEffect(nav.close, [path]);
  useShortcuts(
    useMemo(
      () => ({
        palette: () => {
          if (dialog !== "palette") startTypeAhead();
          setDialog("palette");
        },
        help: () => setDialog("help"),
        search: () => document.querySelector<HTMLInputElement>("[data-page-search]")?.focus(),
        go: (key) => {
          const found = NAVIGATION.flatMap(({ items }) => items).find((item) => item.key === key);
          if (found) void navigate({ to: found.path });
        },
      }),
      [navigate, dialog],
    ),
  );
  const close = (): void => setDialog(null);
  const stepUp = useStepUp();
  return (
    <AppShell header={{ height: 52 }} navbar={{ width: 218, breakpoint: "sm", collapsed: { mobile: !isNavOpen } }} padding="md">
      <a href="#main" className="console-skip">{t("Skip to the content")}</a>
      <AppShell.Header bg="var(--console-surface)">
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={isNavOpen} onClick={nav.toggle} hiddenFrom="sm" size="sm" aria-label={t("Open the navigation")} aria-expanded={isNavOpen} />
            <Link to="/" style={{ color: "inherit", textDecoration: "none" }}><Text fw={700}>Stockbuddy</Text></Link>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Button variant="default" size="xs" onClick={() => setDialog("palette")} rightSection={<Text component="kbd" visibleFrom="xs">{`${t("Ctrl")} K`}</Text>}>{t("Find")}</Button>
            <SchemeButton />
            <UserButton />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar bg="var(--console-surface)" aria-label={t("Navigation")}>
        <div style={{ overflowY: "auto", scrollbarWidth: "thin" }}><Navigation /></div>
      </AppShell.Navbar>
      <AppShell.Main id="main" className="console-main" tabIndex={-1}>
        <ConnectionLine />
        {children}
      </AppShell.Main>
      <BottomBar />
      <Suspense>
        {dialog === "palette" ? <Palette onClose={close} /> : null}
        {dialog === "help" ? <Help onClose={close} /> : null}
        {stepUp ? <StepUpDialog methods={stepUp.methods} onEnd={stepUp.answer} /> : null}
      </Suspense>
    </AppShell>
  );
}

function Navigation() {
  const user = useUser();
  const unread = useRead<{ total: number }>("/notifications", { unread: true, page_size: 1 }).data?.total ?? 0;
  return (
    <div style={{ paddingBottom: 24 }}>
      {NAVIGATION.map(({ label, items }) => {
        const shown = items.filter((item) => mayOpen(user, item));
        if (!shown.length) return null;
        return (
          <div key={label}>
            <div className="nav-group">{label}</div>
            {shown.map(({ path, label: text, icon }) => (
              <Link key={path} to={path} className="nav-link" activeOptions={{ exact: path === "/" }}>
                <Icon name={icon} />
                {text}
                {path === "/notifications" && unread ? <Text span size="xs" fw={700} ml="auto">{unread}</Text> : null}
              </Link>
            ))}
          </div>
        );
      })}
    </div>
  );
}

/** The tasks of the warehouse, on a phone. */
function BottomBar() {
  const user = useUser();
  return (
    <nav className="bottom-bar" aria-label={t("Tasks")}>
      <Link to="/scan"><Icon name="scan" />{t("Scan")}</Link>
      {may(user, "sale.create") ? <Link to="/sell"><Icon name="sell" />{t("Sell")}</Link> : null}
      {may(user, "stock.count") ? <Link to="/counts"><Icon name="count" />{t("Count")}</Link> : null}
      {may(user, "purchase.receive") ? <Link to="/purchase-orders"><Icon name="order" />{t("Receive")}</Link> : null}
      <Link to="/products"><Icon name="product" />{t("Products")}</Link>
    </nav>
  );
}

function SchemeButton() {
  const scheme = useComputedColorScheme("light");
  const { setColorScheme } = useMantineColorScheme();
  const isDark = scheme === "dark";
  return (
    <ActionIcon variant="default" size={30} onClick={() => setColorScheme(isDark ? "light" : "dark")} aria-label={isDark ? t("Use light colours") : t("Use dark colours")}>
      <span aria-hidden="true">{isDark ? "☀" : "☾"}</span>
    </ActionIcon>
  );
}

function UserButton() {
  const user = useUser();
  const logout = useLogout((message) => announce(message, { isError: true }));
  return (
    <Group gap="xs" wrap="nowrap" visibleFrom="sm">
      <Text size="sm" className="dim">{user.full_name || user.username}</Text>
      <Button variant="default" size="xs" onClick={() => void logout()}>{t("Log out")}</Button>
    </Group>
  );
}

/** Changes that wait for the connection, and the age of what is shown while it is broken. */
function ConnectionLine() {
  const { brokenSince } = useLiveState();
  const waiting = useQueueState().filter(({ state }) => state === "waiting").length;
  const age = useAge(brokenSince);
  const [, setNow] = useState(0);
  useEffect(() => {
    if (brokenSince === undefined) return;
    const timer = setInterval(() => setNow(Date.now()), 5000);
    return () => clearInterval(timer);
  }, [brokenSince]);
  if (brokenSince === undefined && waiting === 0) return null;
  return (
    <div className="live-line warn" role="status" style={{ margin: "-16px -16px 16px" }}>
      {brokenSince === undefined ? "" : `${t("No live connection: what you see is from {{ago}}.", { ago: ago(age) })} ${opensOffline ? "" : `${t("Do not reload the page: offline reading needs HTTPS.")} `}`}
      {waiting ? t("waiting", { count: waiting }) : ""}
    </div>
  );
}

/** Since when the oldest data of the page may be out of date: what an earlier visit has left is as old as its reading. */
function useAge(brokenSince = 0): number {
  const queries = useQueryClient();
  useIsFetching(); // each end of a read may change it
  const shown = queries.getQueryCache().findAll({ type: "active" }).map(({ state }) => state.dataUpdatedAt);
  return Math.min(brokenSince, ...shown.filter((at) => at > 0 && at < performance.timeOrigin));
}
