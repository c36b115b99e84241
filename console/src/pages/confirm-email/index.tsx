/** Confirms an e-mail address with the token that was sent to it; on request, because mail scanners open links. */
import { useState } from "react";
import { Button, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { client } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { PublicForm, PublicPage, PublicResult, useFragment } from "../../parts/public.tsx";

export default function ConfirmEmailPage() {
  const given = useFragment().get("token") ?? "";
  const [token, setToken] = useState(given);
  const [isDone, setDone] = useState(false);
  const confirm = async (): Promise<void> => {
    await client.request("POST", "/auth/email/confirm", { body: { token } });
    setDone(true);
  };
  return (
    <PublicPage>
      {isDone ? (
        <PublicResult title={t("The address is confirmed")} text={t("From now on your e-mails arrive there.")} action={<Button component={Link} to="/">{t("Continue")}</Button>} />
      ) : (
        <PublicForm title={t("Confirm your e-mail address")} lead={t("The link in the e-mail works once.")} button={t("Confirm the address")} isDisabled={!token} onSubmit={confirm}>
          {(problems) => (given ? null : <TextInput label={t("Token from the e-mail")} required value={token} error={problems.token} onChange={(event) => setToken(event.currentTarget.value)} />)}
        </PublicForm>
      )}
    </PublicPage>
  );
}
