/** The acceptance of an invitation: a new account with the role and the warehouses that the admin has chosen. */
import { useState } from "react";
import { Button, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { client, errors, type Schemas } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { useLogin } from "../../app/session.tsx";
import { Password, PublicForm, PublicPage, PublicResult, useFragment } from "../../parts/public.tsx";

export default function InvitationPage() {
  const login = useLogin();
  const navigate = useNavigate();
  const given = useFragment().get("token") ?? "";
  const [values, setValues] = useState({ access_token: given, full_name: "", email: "", password: "" });
  const [isCreated, setCreated] = useState(false);
  const bind = (name: keyof typeof values) => ({
    value: values[name],
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => setValues({ ...values, [name]: event.currentTarget.value }),
  });
  const accept = async (): Promise<void> => {
    const body = { ...values, full_name: values.full_name || null };
    const tokens = (await client.request("POST", "/auth/salesperson", { body })) as Schemas["TokenPairResponse"];
    // Browsers have sessions of their own, with a cookie; the tokens are not kept.
    await client.request("POST", "/auth/logout", { headers: { Authorization: `Bearer ${tokens.access_token}` } });
    try {
      await login(values.email, values.password);
      await navigate({ to: "/" });
    } catch (error) {
      if (!(error instanceof errors.Unauthenticated)) throw error;
      setCreated(true); // the role needs a second factor: the login sets it up
    }
  };
  return (
    <PublicPage>
      {isCreated ? (
        <PublicResult title={t("Welcome")} text={t("Your account exists. Log in with your e-mail address and the password.")} action={<Button onClick={() => void navigate({ to: "/" })}>{t("Log in")}</Button>} />
      ) : (
        <PublicForm title={t("You are invited")} lead={t("Create your account; the invitation is used up by it.")} button={t("Create the account")} onSubmit={accept}>
          {(problems) => (
            <>
              {given ? null : <TextInput label={t("Code of the invitation")} required autoComplete="off" error={problems.access_token} {...bind("access_token")} />}
              <TextInput label={t("Your name")} autoComplete="name" error={problems.full_name} {...bind("full_name")} />
              <TextInput label={t("E-mail")} type="email" required autoComplete="email" error={problems.email} {...bind("email")} />
              <Password label={t("Password")} description={t("At least eight characters; longer is better than stranger.")} autoComplete="new-password" error={problems.password} {...bind("password")} />
            </>
          )}
        </PublicForm>
      )}
    </PublicPage>
  );
}
