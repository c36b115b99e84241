/** The request for a new password. */
import { useState } from "react";
import { Anchor, Button, TextInput } from "@mantine/core";
import { client } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { PublicForm, PublicResult } from "../../parts/public.tsx";

export function Forgotten({ onBack }: { onBack: () => void }) {
  const [email, setEmail] = useState("");
  const [isSent, setSent] = useState(false);
  const request = async (): Promise<void> => {
    await client.request("POST", "/auth/password/forgot", { body: { email } });
    setSent(true);
  };
  if (isSent) {
    return (
      <PublicResult
        title={t("Look at your mail")}
        text={t("If an account has this address, a link to set a new password is on its way.")}
        action={<Button variant="default" onClick={onBack}>{t("Back to the login")}</Button>}
      />
    );
  }
  return (
    <PublicForm title={t("New password")} lead={t("We send a link to the address of your account.")} button={t("Send the link")} onSubmit={request}>
      {(problems) => (
        <>
          <TextInput label={t("E-mail")} type="email" required autoComplete="email" value={email} error={problems.email} onChange={(event) => setEmail(event.currentTarget.value)} />
          <Anchor component="button" type="button" size="sm" onClick={onBack}>{t("Back to the login")}</Anchor>
        </>
      )}
    </PublicForm>
  );
}
