/** Pieces of second factors that the login and the account share. */
import { lazy, Suspense } from "react";
import { Alert, Button, Code, Group, Stack, Text, TextInput } from "@mantine/core";
import { t } from "../app/i18n.ts";
import { announce } from "../app/reads.ts";
import { Loading } from "./page.tsx";
import { saveFile } from "./table.tsx";

const QrCode = lazy(() => import("./qr-code.tsx"));

/** The code of an app, or a recovery code. */
export function CodeInput(props: { value: string; onChange: (code: string) => void; error?: string | undefined; label?: string }) {
  return (
    <TextInput
      label={props.label ?? t("Code")}
      description={props.label ? undefined : t("Six digits of your app, or a recovery code")}
      autoComplete="one-time-code"
      autoFocus
      data-autofocus
      required
      value={props.value}
      error={props.error}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

/** How to enter the secret of a new app: by its QR code, or by typing. */
export function AppSetup({ setup }: { setup: { uri: string; secret: string } }) {
  return (
    <Stack gap="xs" align="center">
      <Text size="sm">{t("Scan this code with an authenticator app, then enter the six digits that the app shows.")}</Text>
      <Suspense fallback={<Loading />}><QrCode text={setup.uri} label={t("QR code for the authenticator app")} /></Suspense>
      <Text size="sm" c="dimmed">{t("Without a camera, type this key into the app:")}</Text>
      <Code style={{ overflowWrap: "anywhere" }}>{setup.secret.match(/.{1,4}/g)?.join(" ")}</Code>
    </Stack>
  );
}

/** The server shows them once. */
export function RecoveryCodes({ codes }: { codes: string[] }) {
  const text = `${codes.join("\n")}\n`;
  const copy = (): void => void navigator.clipboard.writeText(text).then(() => announce(t("Copied")));
  return (
    <Stack gap="sm">
      <Alert color="teal" variant="outline" title={t("Keep these recovery codes; they are not shown again")}>
        {t("Each replaces your second factor once, for the day that you lose it.")}
      </Alert>
      <Code block className="recovery-codes">{text}</Code>
      <Group gap="xs">
        <Button size="xs" variant="default" onClick={() => saveFile("stockbuddy-recovery-codes.txt", text, "text/plain")}>{t("Save as a file")}</Button>
        {isSecureContext ? <Button size="xs" variant="default" onClick={copy}>{t("Copy")}</Button> : null}
      </Group>
    </Stack>
  );
}
