/** What the system tells this person, and which of it. */
import { Button, Checkbox, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { send, type Schemas } from "../../app/api.ts";
import { ago, moment } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useRead, useWrite } from "../../app/reads.ts";
import { ListPage } from "../../parts/list.tsx";
import { Loaded, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";
import { wordingOf } from "./wording.ts";

type Notification = Schemas["NotificationResponse"];
type Preferences = Record<string, Schemas["ChannelPreferenceResponse"]>;

export const KINDS: Record<string, string> = {
  low_stock: t("Low stock"),
  out_of_stock: t("Sold out"),
  unusual_activity: t("Unusual activity"),
  import_finished: t("Import finished"),
  webhook_failing: t("Webhook is failing"),
  webhook_disabled: t("Webhook was disabled"),
  email_failed: t("E-mail failed"),
  report_ready: t("Scheduled report ready"),
  report_failed: t("Scheduled report failed"),
  announcement: t("Announcement"),
};

export default function NotificationsPage() {
  const readAll = useWrite(() => send("POST", "/notifications/read-all", {}), { done: () => t("All are marked as read") });
  return (
    <>
      <ListPage<Notification>
        title={t("Notifications")}
        path="/notifications"
        actions={<Button variant="default" loading={readAll.isPending} onClick={() => readAll.mutate(undefined)}>{t("Mark all as read")}</Button>}
        filters={[{ kind: "flag", name: "unread", label: t("Unread only") }, { kind: "select", name: "kind", label: t("Kind"), options: Object.entries(KINDS).map(([value, label]) => ({ value, label })) }]}
        columns={[
          { key: "title", label: t("What"), text: (row) => wordingOf(row).title, render: (row) => <><span className={row.is_read ? "" : "strong"}><NotificationTitle notification={row} /></span><div className="dim">{wordingOf(row).body}</div></> },
          { key: "kind", label: t("Kind"), isWideOnly: true, text: (row) => row.kind, render: (row) => KINDS[row.kind] ?? row.kind },
          { key: "at", label: t("When"), text: (row) => row.created_at, render: (row) => <span className="nowrap" title={moment(row.created_at)}>{ago(row.created_at)}</span> },
          { key: "read", label: t("Read"), isAction: true, render: (row) => <ReadButton notification={row} /> },
        ]}
        empty={{ title: t("Nothing new"), text: t("Low stock, finished imports and failing webhooks appear here. Choose below what reaches you.") }}
      />
      <div style={{ marginTop: 24 }}><PreferencesSection /></div>
    </>
  );
}

/** Links to the schedule of a report, where its result is downloaded. */
function NotificationTitle({ notification }: { notification: Notification }) {
  const { title } = wordingOf(notification);
  const schedule = /^report-schedule\/(\d+)$/.exec(notification.subject ?? "")?.[1];
  return schedule ? <Link to="/report-schedules" search={{ schedule } as never}>{title}</Link> : title;
}

function ReadButton({ notification }: { notification: Notification }) {
  const toggle = useWrite(() => send("POST", `/notifications/${notification.id}/${notification.is_read ? "unread" : "read"}`, {}));
  return <Button size="compact-xs" variant="subtle" loading={toggle.isPending} onClick={() => toggle.mutate(undefined)}>{notification.is_read ? t("Mark as unread") : t("Mark as read")}</Button>;
}

function PreferencesSection() {
  const read = useRead<Preferences>("/notification-preferences");
  const save = useWrite((changes: Record<string, { in_app?: boolean; email?: boolean }>) => send("PUT", "/notification-preferences", changes), { done: () => t("Saved") });
  return (
    <Section title={t("What reaches you")}>
      <Loaded read={read}>
        {(preferences) => (
          <DataTable
            isCompact
            label={t("Preferences")}
            rows={Object.entries(preferences)}
            rowKey={([kind]) => kind}
            columns={[
              { key: "kind", label: t("Kind"), render: ([kind]) => <Text size="sm">{KINDS[kind] ?? kind}</Text> },
              { key: "in_app", label: t("Here"), render: ([kind, channels]) => <Checkbox aria-label={t("{{kind}} here", { kind: KINDS[kind] ?? kind })} checked={channels.in_app} onChange={(event) => save.mutate({ [kind]: { in_app: event.currentTarget.checked } })} /> },
              { key: "email", label: t("By e-mail"), render: ([kind, channels]) => <Checkbox aria-label={t("{{kind}} by e-mail", { kind: KINDS[kind] ?? kind })} checked={channels.email} onChange={(event) => save.mutate({ [kind]: { email: event.currentTarget.checked } })} /> },
            ]}
          />
        )}
      </Loaded>
    </Section>
  );
}
