/** One's own second factors: the authenticator app, passkeys and recovery codes. */
import { useState } from "react";
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { send, type Schemas } from "../../app/api.ts";
import { ago, day } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useRead, useWrite } from "../../app/reads.ts";
import { SESSION_KEY } from "../../app/session.tsx";
import { registerPasskey, supportsPasskeys } from "../../app/webauthn.ts";
import { ConfirmButton, DialogButton, FormDialog } from "../../parts/dialog.tsx";
import { AppSetup, CodeInput, RecoveryCodes } from "../../parts/factors.tsx";
import { Loaded, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";
import { Tag } from "../../parts/texts.tsx";

type Factors = Schemas["FactorList"];
type Passkey = Schemas["PasskeyResponse"];
type Setup = Schemas["TotpSetupResponse"];

/** The account shows whether there is a factor, so it is read again after each change. */
function useFactorWrite<Input, Value>(write: (input: Input) => Promise<Value>, done?: string, onDone?: (value: Value) => void) {
  const queries = useQueryClient();
  return useWrite(write, {
    showsErrors: false,
    ...(done ? { done: () => done } : {}),
    onDone: (value) => {
      void queries.invalidateQueries({ queryKey: SESSION_KEY });
      onDone?.(value);
    },
  });
}

export function SecondFactors() {
  const factors = useRead<Factors>("/auth/factors");
  const passkeys = useRead<{ items: Passkey[] }>("/auth/passkeys");
  const [codes, setCodes] = useState<string[]>([]);
  const showCodes = (result: { recovery_codes: string[] }): void => setCodes(result.recovery_codes);
  return (
    <Section title={t("Second factors")}>
      <Loaded read={factors}>
        {(found) => (
          <Stack gap="md">
            <Text size="sm" c="dimmed">{found.is_required ? t("Your role needs a second factor, besides the password.") : t("With a second factor your password alone is not enough to log in.")}</Text>
            <App factors={found} onCodes={showCodes} />
            <Passkeys passkeys={passkeys.data?.items ?? []} onCodes={showCodes} />
            {found.items.length || passkeys.data?.items.length ? <Codes remaining={found.recovery_codes_remaining} onCodes={showCodes} /> : null}
          </Stack>
        )}
      </Loaded>
      {codes.length ? (
        <Modal opened onClose={() => setCodes([])} title={t("Recovery codes")} closeOnClickOutside={false}>
          <RecoveryCodes codes={codes} />
          <Group justify="flex-end" mt="md"><Button onClick={() => setCodes([])}>{t("I have kept them")}</Button></Group>
        </Modal>
      ) : null}
    </Section>
  );
}

function Row({ title, state, children }: { title: string; state: string; children: React.ReactNode }) {
  return (
    <Group justify="space-between" gap="sm">
      <div><Text fw={600}>{title}</Text><Text size="sm" c="dimmed">{state}</Text></div>
      <Group gap="xs">{children}</Group>
    </Group>
  );
}

interface WithCodes {
  /** The first factor of a person comes with recovery codes. */
  onCodes: (result: { recovery_codes: string[] }) => void;
}

function App({ factors, onCodes }: WithCodes & { factors: Factors }) {
  const [setup, setSetup] = useState<Setup>();
  const app = factors.items[0];
  const begin = useFactorWrite(() => send<Setup>("POST", "/auth/factors", {}), undefined, setSetup);
  const remove = useFactorWrite((id: number) => send("DELETE", `/auth/factors/${id}`), t("Authenticator app removed"));
  return (
    <Row title={t("Authenticator app")} state={app ? (app.last_used_at ? t("Last used {{ago}}", { ago: ago(app.last_used_at) }) : t("Set up on {{day}}", { day: day(app.created_at) })) : t("An app on your phone that shows a new code every 30 seconds")}>
      <StartButton label={app ? t("Replace") : t("Set up")} begin={() => begin.mutateAsync(undefined)} />
      {app ? <ConfirmButton size="xs" variant="default" label={t("Remove")} description={t("Remove the authenticator app")} title={t("Remove the authenticator app?")} text={t("Its codes are refused from now on.")} onConfirm={() => remove.mutateAsync(app.id)} /> : null}
      {setup ? <ConfirmApp setup={setup} onCodes={onCodes} onClose={() => setSetup(undefined)} /> : null}
    </Row>
  );
}

/** A button whose call may ask for a proof of identity first; its error stands beside it. */
function StartButton({ label, begin }: { label: string; begin: () => Promise<unknown> }) {
  const start = useWrite(begin);
  return <Button size="xs" variant="default" loading={start.isPending} onClick={() => start.mutate(undefined)}>{label}</Button>;
}

function ConfirmApp({ setup, onCodes, onClose }: WithCodes & { setup: Setup; onClose: () => void }) {
  const [code, setCode] = useState("");
  const confirm = useFactorWrite(() => send<Schemas["RecoveryCodeList"]>("POST", `/auth/factors/${setup.id}/confirm`, { code }), t("Authenticator app set up"), onCodes);
  return (
    <FormDialog title={t("Set up an authenticator app")} button={t("Confirm")} isDisabled={!code} onClose={onClose} onSubmit={() => confirm.mutateAsync(undefined)}>
      {(problems) => (
        <>
          <AppSetup setup={setup} />
          <CodeInput label={t("Code of the app")} value={code} onChange={setCode} error={problems.code} />
        </>
      )}
    </FormDialog>
  );
}

function Passkeys({ passkeys, onCodes }: WithCodes & { passkeys: Passkey[] }) {
  const remove = useFactorWrite((id: number) => send("DELETE", `/auth/passkeys/${id}`), t("Passkey removed"));
  return (
    <>
      <Row title={t("Passkeys")} state={supportsPasskeys() ? t("Fingerprint, face, PIN or security key; a passkey also logs in without the password") : t("This browser offers passkeys only on HTTPS, or at localhost")}>
        {supportsPasskeys() ? <DialogButton size="xs" variant="default" label={t("Add a passkey")}>{(close) => <PasskeyDialog onCodes={onCodes} onClose={close} />}</DialogButton> : null}
      </Row>
      {passkeys.length ? (
        <DataTable isCompact label={t("Passkeys")} rows={passkeys} rowKey={(row) => row.id} columns={[
          { key: "name", label: t("Name"), render: (row) => <>{row.name} {row.disabled_at ? <Tag>{t("disabled: it was copied")}</Tag> : null}</> },
          { key: "since", label: t("Since"), isWideOnly: true, render: (row) => day(row.created_at) },
          { key: "used", label: t("Last used"), render: (row) => (row.last_used_at ? ago(row.last_used_at) : t("never")) },
          { key: "remove", label: t("Remove"), isAction: true, render: (row) => <ConfirmButton size="compact-xs" variant="default" label={t("Remove")} description={t("Remove the passkey {{name}}", { name: row.name })} title={t("Remove the passkey {{name}}?", { name: row.name })} text={t("It is refused from now on. Delete it on the device, too.")} onConfirm={() => remove.mutateAsync(row.id)} /> },
        ]} />
      ) : null}
    </>
  );
}

function PasskeyDialog({ onCodes, onClose }: WithCodes & { onClose: () => void }) {
  const [name, setName] = useState("");
  const add = useFactorWrite(
    async () => {
      const { challenge, options } = await send<Schemas["PasskeyOptionsResponse"]>("POST", "/auth/passkeys/options", {});
      return send<Schemas["PasskeyCreatedResponse"]>("POST", "/auth/passkeys", { challenge, name, passkey: await registerPasskey(options) });
    },
    t("Passkey added"),
    onCodes,
  );
  return (
    <FormDialog title={t("Add a passkey")} button={t("Continue")} isDisabled={!name} onClose={onClose} onSubmit={() => add.mutateAsync(undefined)}>
      {(problems) => <TextInput label={t("Name")} description={t("By which you recognise the device, as phone")} data-autofocus value={name} error={problems.name} onChange={(event) => setName(event.currentTarget.value)} />}
    </FormDialog>
  );
}

function Codes({ remaining, onCodes }: WithCodes & { remaining: number }) {
  const replace = useFactorWrite(() => send<Schemas["RecoveryCodeList"]>("POST", "/auth/factors/recovery-codes", {}), undefined, onCodes);
  return (
    <Row title={t("Recovery codes")} state={t("{{count}} of 10 are left", { count: remaining })}>
      <ConfirmButton size="xs" variant="default" label={t("New codes")} title={t("Replace the recovery codes?")} text={t("The old ones become invalid.")} onConfirm={() => replace.mutateAsync(undefined)} />
    </Row>
  );
}
