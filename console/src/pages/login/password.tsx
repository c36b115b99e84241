/** The first step of a login. */
import { useState } from "react";
import { Alert, Anchor, Button, Divider, Stack, TextInput } from "@mantine/core";
import { client, type Schemas } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { PATH_PREFIX } from "../../app/page.ts";
import { useRead } from "../../app/reads.ts";
import { askForPasskey, supportsPasskeys } from "../../app/webauthn.ts";
import { Problem } from "../../parts/page.tsx";
import { Password, PublicForm } from "../../parts/public.tsx";
import { useSubmission } from "../../parts/submission.ts";

export type Advance = (run: () => Promise<{ recovery_codes?: string[] | null }>) => Promise<void>;

/** Why a sign-in at an identity provider has failed, by the code of the problem. */
const REFUSALS: Record<string, string> = {
  sign_in_failed: t("The identity provider did not confirm the sign-in. Try again."),
  sign_in_not_started: t("The sign-in took too long, or this browser rejects cookies. Try again."),
  provider_unavailable: t("The identity provider can't be reached. Try again later, or log in with the password."),
  email_not_verified: t("The identity provider has not verified your e-mail address. Verify it there first."),
  email_not_confirmed: t("An account with your e-mail address exists, but has not confirmed it. Log in with the password and confirm it."),
  unknown_account: t("No account here has your e-mail address. Ask an admin for an invitation."),
  no_role: t("None of your groups at the identity provider has access. Ask an admin."),
  account_inactive: t("Your account was deactivated. Ask an admin."),
};

interface PasswordLoginProps {
  /** The code with which an identity provider's sign-in has failed. */
  refusal: string | null;
  advance: Advance;
  onForgotten: () => void;
}

export function PasswordLogin({ refusal, advance, onForgotten }: PasswordLoginProps) {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const logIn = () => advance(() => client.request("POST", "/auth/session", { body: { username, password } }) as Promise<{ recovery_codes?: null }>);
  return (
    <Stack>
      {refusal ? <Alert color="red" variant="outline" role="alert">{REFUSALS[refusal] ?? t("The sign-in has failed ({{code}}). Try again, or log in with the password.", { code: refusal })}</Alert> : null}
      <PublicForm title={t("Log in")} lead={t("Stockbuddy, for the shop and the warehouse.")} button={t("Log in")} onSubmit={logIn}>
        {(problems) => (
          <>
            <TextInput label={t("User name or e-mail")} autoComplete="username webauthn" required data-autofocus value={username} error={problems.username} onChange={(event) => setUsername(event.currentTarget.value)} />
            <Password label={t("Password")} autoComplete="current-password" value={password} error={problems.password} onChange={(event) => setPassword(event.currentTarget.value)} />
            <Anchor component="button" type="button" size="sm" onClick={onForgotten}>{t("Forgot the password?")}</Anchor>
          </>
        )}
      </PublicForm>
      <OtherWays advance={advance} />
    </Stack>
  );
}

function OtherWays({ advance }: { advance: Advance }) {
  const providers = useRead<Schemas["ProviderList"]>("/auth/providers").data?.items ?? [];
  const passkeys = supportsPasskeys();
  if (!providers.length && !passkeys) return null;
  return (
    <Stack gap="xs">
      <Divider label={t("or")} />
      {providers.map((provider) => (
        <Button key={provider.name} component="a" variant="default" href={`${provider.start_url}?return_to=${encodeURIComponent(returnPath())}`}>{t("Log in with {{name}}", { name: provider.title })}</Button>
      ))}
      {passkeys ? <PasskeyLogin advance={advance} /> : null}
    </Stack>
  );
}

/** The page that was asked for, if its address is one that the API accepts. */
function returnPath(): string {
  const path = location.pathname.slice(PATH_PREFIX.length) + location.search;
  return /^\/([\w~.?&=%-][\w~./?&=%-]*)?$/.test(path) ? path : "/";
}

function PasskeyLogin({ advance }: { advance: Advance }) {
  const { run, isBusy, error } = useSubmission(() =>
    advance(async () => {
      const { challenge, options } = (await client.request("POST", "/auth/login/passkey/options")) as Schemas["PasskeyCeremonyResponse"];
      const passkey = await askForPasskey(options);
      return (await client.request("POST", "/auth/login/passkey", { body: { challenge, passkey, with_cookie: true } })) as { recovery_codes?: null };
    }),
  );
  return (
    <>
      <Button variant="default" loading={isBusy} onClick={() => void run()}>{t("Log in with a passkey")}</Button>
      <Problem error={error} />
    </>
  );
}
