/** The form of an app: who it is, where it receives its codes, and what it may ask for. */
import { useState } from "react";
import { Checkbox, Textarea, TextInput } from "@mantine/core";
import { send, type Schemas } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { useWrite } from "../../app/reads.ts";
import { FormDialog } from "../../parts/dialog.tsx";
import { PermissionChoice, type PermissionInfo } from "../../parts/permissions.tsx";

type App = Schemas["AppResponse"];
type AppWithSecret = Schemas["AppSecretResponse"];

interface AppDialogProps {
  permissions: PermissionInfo[];
  /** Without it, a new app is registered. */
  app?: App;
  onClose: () => void;
  onCreated?: (app: AppWithSecret) => void;
}

const linesOf = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/** The message about a list, or about one of its items. */
function problemOf(problems: Record<string, string>, field: string): string | undefined {
  return problems[field] ?? Object.entries(problems).find(([name]) => name.startsWith(`${field}.`))?.[1];
}

export function AppDialog({ permissions, app, onClose, onCreated }: AppDialogProps) {
  const [name, setName] = useState(app?.name ?? "");
  const [homepage, setHomepage] = useState(app?.homepage_url ?? "");
  const [addresses, setAddresses] = useState(app?.redirect_uris.join("\n") ?? "");
  const [scopes, setScopes] = useState<string[]>(app?.scopes ?? []);
  const [isConfidential, setConfidential] = useState(true);
  const [allowsDevices, setAllowsDevices] = useState(app?.allows_device_flow ?? false);
  const fields = { name, homepage_url: homepage || null, redirect_uris: linesOf(addresses), scopes, allows_device_flow: allowsDevices };
  const save = useWrite(
    async () => {
      if (app) await send("PATCH", `/oauth/clients/${app.id}`, fields, { headers: { "If-Match": `"${app.version}"` } });
      else onCreated?.(await send<AppWithSecret>("POST", "/oauth/clients", { ...fields, is_confidential: isConfidential }));
    },
    { showsErrors: false, done: () => t("{{name}} saved", { name }) },
  );
  const isComplete = name !== "" && scopes.length > 0 && (allowsDevices || linesOf(addresses).length > 0);
  return (
    <FormDialog size="lg" title={app ? t("App {{name}}", { name: app.name }) : t("Register an app")} button={app ? t("Save") : t("Register")} isDisabled={!isComplete} onClose={onClose} onSubmit={() => save.mutateAsync(undefined)}>
      {(problems) => (
        <>
          <TextInput label={t("Name")} description={t("Users see it when the app asks for their consent")} data-autofocus required value={name} error={problems.name} onChange={(event) => setName(event.currentTarget.value)} />
          <TextInput label={t("Home page")} placeholder="https://" value={homepage} error={problems.homepage_url} onChange={(event) => setHomepage(event.currentTarget.value)} />
          <Textarea label={t("Redirect addresses")} description={t("One in each line: https, or http on this computer (127.0.0.1), or the app's own scheme")} rows={3} value={addresses} error={problemOf(problems, "redirect_uris")} onChange={(event) => setAddresses(event.currentTarget.value)} />
          <Checkbox label={t("Also devices without a browser")} description={t("The user types a code that the device shows")} checked={allowsDevices} onChange={(event) => setAllowsDevices(event.currentTarget.checked)} />
          {app ? null : <Checkbox label={t("It can keep a secret")} description={t("It runs on a server. Apps on phones, in browsers and on computers can't.")} checked={isConfidential} onChange={(event) => setConfidential(event.currentTarget.checked)} />}
          <PermissionChoice label={t("May ask for")} permissions={permissions} chosen={scopes} error={problemOf(problems, "scopes")} onChange={setScopes} />
        </>
      )}
    </FormDialog>
  );
}
