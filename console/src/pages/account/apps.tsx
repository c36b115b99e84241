/** The apps that one has allowed to act for oneself. */
import { send, type Schemas } from "../../app/api.ts";
import { ago, day } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useRead, useWrite } from "../../app/reads.ts";
import { ConfirmButton } from "../../parts/dialog.tsx";
import { Loaded, Section } from "../../parts/page.tsx";
import { PermissionSummary } from "../../parts/permissions.tsx";
import { DataTable } from "../../parts/table.tsx";

export function AllowedApps() {
  const consents = useRead<Schemas["ConsentsResponse"]>("/auth/consents");
  const permissions = useRead<Schemas["PermissionsResponse"]>("/permissions", {}, { staleMs: 60_000 }).data?.items ?? [];
  const withdraw = useWrite((appId: number) => send("DELETE", `/auth/consents/${appId}`), { showsErrors: false, done: () => t("Withdrawn; the app is refused from now on") });
  return (
    <Section title={t("Apps that act for you")}>
      <Loaded read={consents}>
        {({ items }) =>
          items.length === 0 ? (
            <span className="dim">{t("You have allowed no app to act for you. An app asks you on a page of its own, and appears here afterwards.")}</span>
          ) : (
            <DataTable isCompact label={t("Apps")} rows={items} rowKey={(row) => row.app_id} columns={[
              { key: "name", label: t("App"), render: (row) => <><span className="strong">{row.name}</span><div className="dim">{row.homepage_url}</div></> },
              { key: "scopes", label: t("May"), render: (row) => <PermissionSummary names={row.scopes} permissions={permissions} /> },
              { key: "since", label: t("Since"), isWideOnly: true, render: (row) => day(row.granted_at) },
              { key: "used", label: t("Last used"), isWideOnly: true, render: (row) => (row.last_used_at ? ago(row.last_used_at) : t("never")) },
              { key: "withdraw", label: t("Withdraw"), isAction: true, render: (row) => <ConfirmButton size="compact-xs" variant="default" label={t("Withdraw")} description={t("Withdraw what {{name}} may do", { name: row.name })} title={t("Withdraw what {{name}} may do?", { name: row.name })} text={t("The app can no longer act for you, on all its devices. It may ask you again.")} onConfirm={() => withdraw.mutateAsync(row.app_id)} /> },
            ]} />
          )
        }
      </Loaded>
    </Section>
  );
}
