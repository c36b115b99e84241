/** Asks a logged-in person to prove their identity again, before a sensitive change. */
import { useState } from "react";
import { Button, PasswordInput, Text } from "@mantine/core";
import { client, type Schemas } from "./api.ts";
import { t } from "./i18n.ts";
import type { Method } from "./step-up.ts";
import { askForPasskey, supportsPasskeys } from "./webauthn.ts";
import { CodeInput } from "../parts/factors.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { useSubmission } from "../parts/submission.ts";
import { Problem } from "../parts/page.tsx";

export default function StepUpDialog({ methods, onEnd }: { methods: Method[]; onEnd: (isProved: boolean) => void }) {
  const [proof, setProof] = useState("");
  const [isProved, setProved] = useState(false);
  const method = methods.includes("password") ? "password" : "code";
  const prove = async (): Promise<void> => {
    await client.request("POST", "/auth/step-up", { body: { [method]: proof } });
    setProved(true);
  };
  return (
    <FormDialog title={t("Is it you?")} button={t("Continue")} size="sm" isDisabled={!proof} onClose={() => onEnd(isProved)} onSubmit={() => prove().then(() => onEnd(true))}>
      {(problems) => (
        <>
          <Text size="sm">{t("This change concerns the security of accounts. Prove once more who you are.")}</Text>
          {method === "password" ? (
            <PasswordInput label={t("Password")} data-autofocus autoComplete="current-password" value={proof} error={problems.password} visibilityToggleButtonProps={{ "aria-label": t("Show the password"), tabIndex: 0 }} onChange={(event) => setProof(event.currentTarget.value)} />
          ) : (
            <CodeInput value={proof} onChange={setProof} error={problems.code} />
          )}
          {methods.includes("passkey") && supportsPasskeys() ? <PasskeyButton onProved={() => onEnd(true)} /> : null}
        </>
      )}
    </FormDialog>
  );
}

function PasskeyButton({ onProved }: { onProved: () => void }) {
  const { run, isBusy, error } = useSubmission(async () => {
    const { challenge, options } = (await client.request("POST", "/auth/step-up/options")) as Schemas["PasskeyCeremonyResponse"];
    await client.request("POST", "/auth/step-up", { body: { challenge, passkey: await askForPasskey(options) } });
    onProved();
  });
  return (
    <>
      <Button variant="default" loading={isBusy} onClick={() => void run()}>{t("Use a passkey")}</Button>
      <Problem error={error} />
    </>
  );
}
