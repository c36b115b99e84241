/** The second step of a login: a code or a passkey, or the setup of the factor that the role requires. */
import { useState } from "react";
import { Anchor, Button, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { client, errors, type Schemas } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { askForPasskey, supportsPasskeys } from "../../app/webauthn.ts";
import { AppSetup, CodeInput, RecoveryCodes } from "../../parts/factors.tsx";
import { Loaded, Problem } from "../../parts/page.tsx";
import { PublicForm } from "../../parts/public.tsx";
import { useSubmission } from "../../parts/submission.ts";
import type { Advance } from "./password.tsx";

interface FactorProps {
  challenge: string;
  passkeyOptions?: Record<string, unknown> | undefined;
  advance: Advance;
  onBack: () => void;
}

type Completed = Schemas["SecondFactorBrowserResponse"];

const complete = (challenge: string, proof: { code: string } | { passkey: unknown }) =>
  client.request("POST", "/auth/login/second-factor", { body: { challenge, ...proof } }) as Promise<Completed>;

/** A login that was left open for longer than its challenge begins again. */
function withExpiry(run: () => Promise<void>): () => Promise<void> {
  return async () => {
    try {
      await run();
    } catch (error) {
      if (error instanceof errors.InvalidChallenge) throw new Error(t("This login took too long. Begin again."));
      throw error;
    }
  };
}

export function SecondFactor({ challenge, passkeyOptions, advance, onBack }: FactorProps) {
  const [code, setCode] = useState("");
  const byPasskey = passkeyOptions !== undefined && supportsPasskeys();
  return (
    <Stack>
      <PublicForm title={t("Second factor")} lead={t("Your account is protected by a second factor.")} button={t("Continue")} isDisabled={!code} onSubmit={withExpiry(() => advance(() => complete(challenge, { code })))}>
        {(problems) => <CodeInput value={code} onChange={setCode} error={problems.code} />}
      </PublicForm>
      {byPasskey ? <PasskeyFactor challenge={challenge} passkeyOptions={passkeyOptions} advance={advance} /> : null}
      <Anchor component="button" type="button" size="sm" onClick={onBack}>{t("Back to the login")}</Anchor>
    </Stack>
  );
}

function PasskeyFactor({ challenge, passkeyOptions, advance }: Omit<FactorProps, "onBack">) {
  const { run, isBusy, error } = useSubmission(withExpiry(() => advance(async () => complete(challenge, { passkey: await askForPasskey(passkeyOptions ?? {}) }))));
  return (
    <>
      <Button variant="default" loading={isBusy} onClick={() => void run()}>{t("Use a passkey")}</Button>
      <Problem error={error} />
    </>
  );
}

export function FactorSetup({ challenge, advance, onBack }: FactorProps) {
  const [code, setCode] = useState("");
  const setup = useQuery({
    queryKey: ["factor-setup", challenge],
    queryFn: () => client.request("POST", "/auth/login/factors", { body: { challenge } }) as Promise<Schemas["TotpSetupResponse"]>,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    gcTime: 0,
  });
  return (
    <Stack>
      <PublicForm title={t("Set up a second factor")} lead={t("Your role needs one, besides the password.")} button={t("Continue")} isDisabled={!code} onSubmit={withExpiry(() => advance(() => complete(challenge, { code })))}>
        {(problems) => (
          <Loaded read={setup}>
            {(app) => (
              <>
                <AppSetup setup={app} />
                <CodeInput label={t("Code of the app")} value={code} onChange={setCode} error={problems.code} />
              </>
            )}
          </Loaded>
        )}
      </PublicForm>
      <Anchor component="button" type="button" size="sm" onClick={onBack}>{t("Back to the login")}</Anchor>
    </Stack>
  );
}

export function NewCodes({ codes, onDone }: { codes: string[]; onDone: () => Promise<void> }) {
  return (
    <PublicForm title={t("Recovery codes")} lead={t("The second factor is set up.")} button={t("I have kept them")} onSubmit={onDone}>
      {() => <RecoveryCodes codes={codes} />}
    </PublicForm>
  );
}
