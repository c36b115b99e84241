/** A new password, with the token of an e-mail. */
import { useState } from "react";
import { Button, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { client } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { Password, PublicForm, PublicPage, PublicResult, useFragment } from "../../parts/public.tsx";

export default function PasswordResetPage() {
  const given = useFragment().get("token") ?? "";
  const [values, setValues] = useState({ token: given, new_password: "", confirm_password: "" });
  const [isDone, setDone] = useState(false);
  const bind = (name: keyof typeof values) => ({
    value: values[name],
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => setValues({ ...values, [name]: event.currentTarget.value }),
  });
  const reset = async (): Promise<void> => {
    await client.request("POST", "/auth/password/reset", { body: values });
    setDone(true);
  };
  return (
    <PublicPage>
      {isDone ? (
        <PublicResult title={t("The password is changed")} text={t("All sessions of the account have ended. Log in with the new password.")} action={<Button component={Link} to="/">{t("Log in")}</Button>} />
      ) : (
        <PublicForm title={t("Choose a new password")} lead={t("The link in the e-mail works once.")} button={t("Set the password")} onSubmit={reset}>
          {(problems) => (
            <>
              {given ? null : <TextInput label={t("Token from the e-mail")} required error={problems.token} {...bind("token")} />}
              <Password label={t("New password")} description={t("At least eight characters; longer is better than stranger.")} autoComplete="new-password" error={problems.new_password} {...bind("new_password")} />
              <Password label={t("New password again")} autoComplete="new-password" error={problems.confirm_password} {...bind("confirm_password")} />
            </>
          )}
        </PublicForm>
      )}
    </PublicPage>
  );
}
