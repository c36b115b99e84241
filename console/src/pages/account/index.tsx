/** One's own name, password, sessions, API keys and apps. */
import { useState } from "react";
import { Alert, Button, Code, NativeSelect, PasswordInput, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { send, type Page as ApiPage, type Schemas } from "../../app/api.ts";
import { ago, day, moment } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { announce, useRead, useWrite } from "../../app/reads.ts";
import { roleLabel, useRoles } from "../../app/roles.ts";
import { SESSION_KEY, useLogout, useUser } from "../../app/session.tsx";
import { ConfirmButton, DialogButton, FormDialog } from "../../parts/dialog.tsx";
import { LanguageSelect } from "../../parts/language.tsx";
import { Loaded, Page, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";
import { Definitions, Tag } from "../../parts/texts.tsx";
import { AllowedApps } from "./apps.tsx";
import { SecondFactors } from "./factors.tsx";

export default function AccountPage() {
  const user = useUser();
  const logout = useLogout((message) => announce(message, { isError: true }));
  return (
    <Page title={t("Account")} actions={<Button variant="default" onClick={() => void logout()}>{t("Log out")}</Button>}>
      <div className="columns">
        <Section title={t("Profile")} actions={<DialogButton size="xs" variant="default" label={t("Edit")}>{(close) => <ProfileDialog onClose={close} />}</DialogButton>}>
          <Definitions items={[[t("User name"), user.username], [t("Name"), user.full_name], [t("E-mail"), user.email], [t("Role"), roleLabel(user.role)], [t("Since"), day(user.created_at)]]} />
          <div style={{ marginTop: 12, maxWidth: 240 }}><LanguageSelect /></div>
        </Section>
        <Section title={t("Password")}>
          <DialogButton variant="default" label={t("Change the password")}>{(close) => <PasswordDialog onClose={close} />}</DialogButton>
        </Section>
      </div>
      <SecondFactors />
      <Sessions />
      <ApiKeys />
      <AllowedApps />
    </Page>
  );
}

function ProfileDialog({ onClose }: { onClose: () => void }) {
  const user = useUser();
  const queries = useQueryClient();
  const [name, setName] = useState(user.full_name ?? "");
  const save = useWrite(() => send("PATCH", "/auth/profile", { full_name: name || null }), { showsErrors: false, done: () => t("Saved"), onDone: () => void queries.invalidateQueries({ queryKey: SESSION_KEY }) });
  return (
    <FormDialog title={t("Profile")} button={t("Save")} onClose={onClose} onSubmit={() => save.mutateAsync(undefined)}>
      {(problems) => <TextInput label={t("Name")} data-autofocus value={name} error={problems.full_name} onChange={(event) => setName(event.currentTarget.value)} />}
    </FormDialog>
  );
}

function PasswordDialog({ onClose }: { onClose: () => void }) {
  const [values, setValues] = useState({ old_password: "", new_password: "", confirm_password: "" });
  const save = useWrite(() => send("POST", "/auth/password/change", values), { showsErrors: false, done: () => t("Password changed; all other sessions have ended") });
  const input = (name: keyof typeof values, label: string, complete: string, error: string | undefined) => (
    <PasswordInput label={label} required autoComplete={complete} value={values[name]} error={error} visibilityToggleButtonProps={{ "aria-label": t("Show the password"), tabIndex: 0 }} onChange={(event) => setValues({ ...values, [name]: event.currentTarget.value })} />
  );
  return (
    <FormDialog title={t("Change the password")} button={t("Change")} onClose={onClose} onSubmit={() => save.mutateAsync(undefined)}>
      {(problems) => (
        <>
          {input("old_password", t("Present password"), "current-password", problems.old_password)}
          {input("new_password", t("New password"), "new-password", problems.new_password)}
          {input("confirm_password", t("New password again"), "new-password", problems.confirm_password)}
        </>
      )}
    </FormDialog>
  );
}

function Sessions() {
  const read = useRead<ApiPage<Schemas["SessionResponse"]>>("/auth/sessions", { page_size: 50 });
  const end = useWrite((id: string) => send("DELETE", `/auth/sessions/${id}`), { done: () => t("Session ended") });
  return (
    <Section title={t("Where you are logged in")}>
      <Loaded read={read}>
        {(page) => (
          <DataTable isCompact label={t("Sessions")} rows={page.items} rowKey={(row) => row.id} columns={[
            { key: "device", label: t("Device"), render: (row) => <>{row.device} {row.is_current ? <Tag>{t("this one")}</Tag> : null}</> },
            { key: "address", label: t("Address"), isWideOnly: true, render: (row) => row.ip_address ?? "" },
            { key: "used", label: t("Last used"), render: (row) => <span title={moment(row.last_used_at)}>{ago(row.last_used_at)}</span> },
            { key: "end", label: t("End"), isAction: true, render: (row) => (row.is_current ? "" : <Button size="compact-xs" variant="default" onClick={() => end.mutate(row.id)}>{t("Log out there")}</Button>) },
          ]} />
        )}
      </Loaded>
    </Section>
  );
}

function ApiKeys() {
  const read = useRead<ApiPage<Schemas["ApiKeyResponse"]>>("/auth/api-keys", { page_size: 50 });
  const [secret, setSecret] = useState("");
  const remove = useWrite((id: number) => send("DELETE", `/auth/api-keys/${id}`), { showsErrors: false, done: () => t("Key deleted; it is refused from now on") });
  return (
    <Section title={t("Keys for machines")} actions={<DialogButton size="xs" label={t("New key")}>{(close) => <KeyDialog onClose={close} onCreated={setSecret} />}</DialogButton>}>
      {secret ? <Alert mb="sm" color="teal" variant="outline" title={t("Copy the key now; it is not shown again")} withCloseButton closeButtonLabel={t("Close")} onClose={() => setSecret("")}><Code>{secret}</Code></Alert> : null}
      <Loaded read={read}>
        {(page) =>
          page.items.length === 0 ? (
            <span className="dim">{t("Tills, scanners and other programs log in with a key instead of a password.")}</span>
          ) : (
            <DataTable isCompact label={t("Keys")} rows={page.items} rowKey={(row) => row.id} columns={[
              { key: "name", label: t("Name"), render: (row) => <>{row.name} <span className="dim">{row.hint}</span></> },
              { key: "role", label: t("Role"), render: (row) => roleLabel(row.role) },
              { key: "used", label: t("Last used"), isWideOnly: true, render: (row) => (row.last_used_at ? ago(row.last_used_at) : t("never")) },
              { key: "expires", label: t("Until"), isWideOnly: true, render: (row) => (row.expires_at ? day(row.expires_at) : t("no end")) },
              { key: "delete", label: t("Delete"), isAction: true, render: (row) => <ConfirmButton size="compact-xs" variant="default" label={t("Delete")} description={t("Delete key {{name}}", { name: row.name })} title={t("Delete the key {{name}}?", { name: row.name })} text={t("The machine that uses it is refused at once.")} onConfirm={() => remove.mutateAsync(row.id)} /> },
            ]} />
          )
        }
      </Loaded>
    </Section>
  );
}

function KeyDialog({ onClose, onCreated }: { onClose: () => void; onCreated: (secret: string) => void }) {
  const user = useUser();
  const roles = useRoles();
  const [name, setName] = useState("");
  const [role, setRole] = useState(user.role);
  const create = useWrite(() => send<Schemas["ApiKeySecretResponse"]>("POST", "/auth/api-keys", { name, role }), { showsErrors: false, onDone: ({ key }) => onCreated(key) });
  return (
    <FormDialog title={t("New key")} button={t("Create the key")} isDisabled={!name} onClose={onClose} onSubmit={() => create.mutateAsync(undefined)}>
      {(problems) => (
        <>
          <TextInput label={t("Name")} description={t("Which machine uses it")} data-autofocus value={name} error={problems.name} onChange={(event) => setName(event.currentTarget.value)} />
          <NativeSelect label={t("Role")} value={role} data={roles} onChange={(event) => setRole(event.currentTarget.value)} />
        </>
      )}
    </FormDialog>
  );
}
