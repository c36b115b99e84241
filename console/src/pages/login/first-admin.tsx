/** The registration of the first admin of a new system. */
import { useState } from "react";
import { TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { client } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { useLogin } from "../../app/session.tsx";
import { Password, PublicForm } from "../../parts/public.tsx";

export function FirstAdmin({ needsToken }: { needsToken: boolean }) {
  const login = useLogin();
  const queries = useQueryClient();
  const [values, setValues] = useState({ username: "", email: "", password: "", setup_token: "" });
  const register = async (): Promise<void> => {
    const { setup_token, ...account } = values;
    await client.request("POST", "/auth/admin/register", { body: needsToken ? { ...account, setup_token } : account });
    await login(values.username, values.password);
    await queries.invalidateQueries({ queryKey: ["auth"] });
  };
  const bind = (name: keyof typeof values) => ({
    value: values[name],
    required: true,
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => setValues({ ...values, [name]: event.currentTarget.value }),
  });
  return (
    <PublicForm title={t("Welcome")} lead={t("This system is new. Create the account of its first administrator; further people are invited later.")} button={t("Create the account")} onSubmit={register}>
      {(problems) => (
        <>
          <TextInput label={t("User name")} autoComplete="username" error={problems.username} {...bind("username")} />
          <TextInput label={t("E-mail")} type="email" autoComplete="email" error={problems.email} {...bind("email")} />
          <Password label={t("Password")} description={t("At least eight characters; longer is better than stranger.")} autoComplete="new-password" error={problems.password} {...bind("password")} />
          {needsToken ? <TextInput label={t("Setup token")} description={t("The first start of the auth service printed it in its log.")} error={problems.setup_token} {...bind("setup_token")} /> : null}
        </>
      )}
    </PublicForm>
  );
}
