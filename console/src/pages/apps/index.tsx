/** Apps of third parties, which users let act for them: registered, changed, given a new secret, deleted. */
import { useState } from "react";
import { Alert, Code, Group, Stack, Text } from "@mantine/core";
import { send, type Schemas } from "../../app/api.ts";
import { day } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useRead, useWrite } from "../../app/reads.ts";
import { ConfirmButton, DialogButton } from "../../parts/dialog.tsx";
import { ListPage } from "../../parts/list.tsx";
import { Loaded } from "../../parts/page.tsx";
import { type PermissionInfo, PermissionSummary } from "../../parts/permissions.tsx";
import { Tag } from "../../parts/texts.tsx";
import { AppDialog } from "./dialog.tsx";

type App = Schemas["AppResponse"];
type AppWithSecret = Schemas["AppSecretResponse"];

export default function AppsPage() {
  const permissions = useRead<Schemas["PermissionsResponse"]>("/permissions", {}, { staleMs: 60_000 });
  const [shown, setShown] = useState<AppWithSecret>();
  return <Loaded read={permissions}>{({ items }) => <><Apps permissions={items} onSecret={setShown} lead={shown ? <NewSecret app={shown} onClose={() => setShown(undefined)} /> : null} /></>}</Loaded>;
}

function Apps({ permissions, onSecret, lead }: { permissions: PermissionInfo[]; onSecret: (app: AppWithSecret) => void; lead: React.ReactNode }) {
  const create = <DialogButton label={t("Register an app")}>{(close) => <AppDialog permissions={permissions} onClose={close} onCreated={onSecret} />}</DialogButton>;
  return (
    <Stack gap="md">
      {lead}
      <ListPage<App>
        title={t("Apps")}
        lead={t("Programs of others that act for a user, within what both of them may do.")}
        path="/oauth/clients"
        actions={create}
        columns={[
          { key: "name", label: t("Name"), text: (row) => row.name, render: (row) => <><span className="strong">{row.name}</span> {row.is_confidential ? null : <Tag>{t("without a secret")}</Tag>}<div className="dim">{row.homepage_url}</div></> },
          { key: "client_id", label: t("Client id"), text: (row) => row.client_id, render: (row) => <Code style={{ overflowWrap: "anywhere" }}>{row.client_id}</Code> },
          { key: "secret", label: t("Secret"), isWideOnly: true, render: (row) => (row.secret_hint ? <><span className="nowrap">{t("ends in {{hint}}", { hint: row.secret_hint })}</span><div className="dim nowrap">{t("since {{day}}", { day: day(row.secret_created_at) })}</div></> : "–") },
          { key: "addresses", label: t("Redirect addresses"), isWideOnly: true, text: (row) => row.redirect_uris.join(" "), render: (row) => <Addresses app={row} /> },
          { key: "scopes", label: t("Permissions"), text: (row) => row.scopes.join(" "), render: (row) => <PermissionSummary names={row.scopes} permissions={permissions} /> },
          { key: "actions", label: t("Actions"), isAction: true, render: (row) => <Actions app={row} permissions={permissions} onSecret={onSecret} /> },
        ]}
        empty={{ title: t("No app is registered"), text: t("Register an app to connect accounting, a web shop or a till. Its users log in here, see what it asks for, and can take it back in their account."), action: create }}
      />
    </Stack>
  );
}

function Addresses({ app }: { app: App }) {
  return (
    <>
      {app.redirect_uris.map((uri) => <div key={uri} className="clip" title={uri}>{uri}</div>)}
      {app.allows_device_flow ? <div className="dim">{t("devices, with a code")}</div> : null}
    </>
  );
}

function NewSecret({ app, onClose }: { app: AppWithSecret; onClose: () => void }) {
  return (
    <Alert color="teal" variant="outline" role="status" title={app.client_secret ? t("Copy the secret of {{name}} now; it is not shown again", { name: app.name }) : t("{{name}} is registered", { name: app.name })} withCloseButton closeButtonLabel={t("Close")} onClose={onClose}>
      <Stack gap={6}>
        <Text size="sm">{t("Client id")}: <Code>{app.client_id}</Code></Text>
        {app.client_secret ? <Text size="sm">{t("Secret")}: <Code style={{ overflowWrap: "anywhere" }}>{app.client_secret}</Code></Text> : null}
      </Stack>
    </Alert>
  );
}

function Actions({ app, permissions, onSecret }: { app: App; permissions: PermissionInfo[]; onSecret: (app: AppWithSecret) => void }) {
  const { name } = app;
  const rotate = useWrite(() => send<AppWithSecret>("POST", `/oauth/clients/${app.id}/rotate-secret`, {}), { showsErrors: false, onDone: onSecret });
  const remove = useWrite(() => send("DELETE", `/oauth/clients/${app.id}`, undefined, { headers: { "If-Match": `"${app.version}"` } }), { showsErrors: false, done: () => t("{{name}} deleted", { name }) });
  return (
    <Group gap={6}>
      <DialogButton size="compact-xs" variant="default" label={t("Edit")} description={t("Edit {{name}}", { name })}>{(close) => <AppDialog app={app} permissions={permissions} onClose={close} />}</DialogButton>
      {app.is_confidential ? <ConfirmButton size="compact-xs" variant="default" label={t("New secret")} description={t("New secret for {{name}}", { name })} title={t("Replace the secret of {{name}}?", { name })} text={t("The present secret is refused at once. What users have allowed stays valid.")} onConfirm={() => rotate.mutateAsync(undefined)} /> : null}
      <ConfirmButton size="compact-xs" variant="subtle" label={t("Delete")} description={t("Delete {{name}}", { name })} title={t("Delete {{name}}?", { name })} text={t("The app is refused at once, for all users, and what they have allowed it is forgotten.")} onConfirm={() => remove.mutateAsync(undefined)} />
    </Group>
  );
}
