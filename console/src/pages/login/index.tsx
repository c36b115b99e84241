/** The login; while no admin exists, the registration of the first one; and the request for a new password. */
import { type ReactNode, useState } from "react";
import { Alert, Anchor, Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { client, errors, messageOf, type Schemas } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { useRead } from "../../app/reads.ts";
import { useLogin } from "../../app/session.tsx";
import { Loaded } from "../../parts/page.tsx";
import { useSubmission } from "../../parts/submission.ts";

export default function LoginPage() {
  const setup = useRead<Schemas["SetupResponse"]>("/auth/setup");
  const [isForgotten, setForgotten] = useState(false);
  return (
    <main style={{ minHeight: "100vh", display: "grid", placeItems: "center", padding: 16 }}>
      <Paper p="xl" w="100%" maw={400} shadow="sm">
        <Loaded read={setup}>
          {({ needs_admin, needs_setup_token }) =>
            needs_admin ? <FirstAdmin needsToken={needs_setup_token} /> : isForgotten ? <Forgotten onBack={() => setForgotten(false)} /> : <Login onForgotten={() => setForgotten(true)} />
          }
        </Loaded>
      </Paper>
    </main>
  );
}

function Form(props: { title: string; lead: string; button: string; onSubmit: () => Promise<void>; children: (errors: Record<string, string>) => ReactNode }) {
  const { submit, isBusy, error, fields } = useSubmission(props.onSubmit);
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Title order={1}>{props.title}</Title>
        <Text c="dimmed" size="sm">{props.lead}</Text>
        {error && !Object.keys(fields).length ? (
          <Alert color="red" variant="outline" role="alert">{error instanceof errors.TooManyRequests ? t("Too many attempts. Wait a minute and try again.") : messageOf(error)}</Alert>
        ) : null}
        {props.children(fields)}
        <Button type="submit" loading={isBusy} size="md" mt="xs">{props.button}</Button>
      </Stack>
    </form>
  );
}

function Login({ onForgotten }: { onForgotten: () => void }) {
  const login = useLogin();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  return (
    <Form title={t("Log in")} lead={t("Stockbuddy, for the shop and the warehouse.")} button={t("Log in")} onSubmit={() => login(username, password)}>
      {(problems) => (
        <>
          <TextInput label={t("User name or e-mail")} autoComplete="username" required data-autofocus value={username} error={problems.username} onChange={(event) => setUsername(event.currentTarget.value)} />
          <PasswordInput label={t("Password")} autoComplete="current-password" required value={password} error={problems.password} visibilityToggleButtonProps={{ "aria-label": t("Show the password"), tabIndex: 0 }} onChange={(event) => setPassword(event.currentTarget.value)} />
          <Anchor component="button" type="button" size="sm" onClick={onForgotten}>{t("Forgot the password?")}</Anchor>
        </>
      )}
    </Form>
  );
}

function FirstAdmin({ needsToken }: { needsToken: boolean }) {
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
    <Form title={t("Welcome")} lead={t("This system is new. Create the account of its first administrator; further people are invited later.")} button={t("Create the account")} onSubmit={register}>
      {(problems) => (
        <>
          <TextInput label={t("User name")} autoComplete="username" error={problems.username} {...bind("username")} />
          <TextInput label={t("E-mail")} type="email" autoComplete="email" error={problems.email} {...bind("email")} />
          <PasswordInput label={t("Password")} description={t("At least eight characters; longer is better than stranger.")} autoComplete="new-password" error={problems.password} visibilityToggleButtonProps={{ "aria-label": t("Show the password"), tabIndex: 0 }} {...bind("password")} />
          {needsToken ? <TextInput label={t("Setup token")} description={t("The first start of the auth service printed it in its log.")} error={problems.setup_token} {...bind("setup_token")} /> : null}
        </>
      )}
    </Form>
  );
}

function Forgotten({ onBack }: { onBack: () => void }) {
  const [email, setEmail] = useState("");
  const [isSent, setSent] = useState(false);
  const request = async (): Promise<void> => {
    await client.request("POST", "/auth/password/forgot", { body: { email } });
    setSent(true);
  };
  if (isSent) {
    return (
      <Stack>
        <Title order={1}>{t("Look at your mail")}</Title>
        <Text>{t("If an account has this address, a link to set a new password is on its way.")}</Text>
        <Button variant="default" onClick={onBack}>{t("Back to the login")}</Button>
      </Stack>
    );
  }
  return (
    <Form title={t("New password")} lead={t("We send a link to the address of your account.")} button={t("Send the link")} onSubmit={request}>
      {(problems) => (
        <>
          <TextInput label={t("E-mail")} type="email" required autoComplete="email" value={email} error={problems.email} onChange={(event) => setEmail(event.currentTarget.value)} />
          <Anchor component="button" type="button" size="sm" onClick={onBack}>{t("Back to the login")}</Anchor>
        </>
      )}
    </Form>
  );
}
