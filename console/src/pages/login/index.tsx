/** The login: by password, passkey or identity provider, with a second factor where one is needed. While no admin
 * exists, the registration of the first one. */
import { useState } from "react";
import { errors, type Schemas } from "../../app/api.ts";
import { useRead } from "../../app/reads.ts";
import { useNewSession } from "../../app/session.tsx";
import { Loaded } from "../../parts/page.tsx";
import { PublicPage, useFragment } from "../../parts/public.tsx";
import { FactorSetup, NewCodes, SecondFactor } from "./factors.tsx";
import { FirstAdmin } from "./first-admin.tsx";
import { Forgotten } from "./forgotten.tsx";
import { PasswordLogin } from "./password.tsx";

/** What is asked for next. `challenge` names the login that waits for it. */
type Step =
  | { kind: "password" | "forgotten" }
  | { kind: "factor"; challenge: string; passkeyOptions?: Record<string, unknown> | undefined }
  | { kind: "setup"; challenge: string }
  | { kind: "codes"; codes: string[] };

/** How an identity provider has sent the browser back: a code, with a challenge if the sign-in goes on here. */
function stepAfterRedirect(fragment: URLSearchParams): Step {
  const challenge = fragment.get("challenge");
  if (challenge && fragment.get("code") === "second_factor_required") return { kind: "factor", challenge };
  if (challenge && fragment.get("code") === "second_factor_setup_required") return { kind: "setup", challenge };
  return { kind: "password" };
}

export default function LoginPage() {
  const setup = useRead<Schemas["SetupResponse"]>("/auth/setup");
  const fragment = useFragment();
  return (
    <PublicPage>
      <Loaded read={setup}>
        {({ needs_admin, needs_setup_token }) => (needs_admin ? <FirstAdmin needsToken={needs_setup_token} /> : <Steps fragment={fragment} />)}
      </Loaded>
    </PublicPage>
  );
}

function Steps({ fragment }: { fragment: URLSearchParams }) {
  const [step, setStep] = useState(() => stepAfterRedirect(fragment));
  const loadNewSession = useNewSession();
  const restart = (): void => setStep({ kind: "password" });
  /** Runs one step; what it asks for becomes the next. */
  const advance = async (run: () => Promise<{ recovery_codes?: string[] | null }>): Promise<void> => {
    try {
      const { recovery_codes } = await run();
      if (recovery_codes?.length) setStep({ kind: "codes", codes: recovery_codes });
      else await loadNewSession();
    } catch (error) {
      if (error instanceof errors.SecondFactorRequired) setStep({ kind: "factor", challenge: error.challenge, passkeyOptions: error.passkey_options });
      else if (error instanceof errors.SecondFactorSetupRequired) setStep({ kind: "setup", challenge: error.challenge });
      else throw error;
    }
  };
  if (step.kind === "forgotten") return <Forgotten onBack={restart} />;
  if (step.kind === "factor") return <SecondFactor {...step} advance={advance} onBack={restart} />;
  if (step.kind === "setup") return <FactorSetup {...step} advance={advance} onBack={restart} />;
  if (step.kind === "codes") return <NewCodes codes={step.codes} onDone={loadNewSession} />;
  return <PasswordLogin refusal={fragment.get("code")} advance={advance} onForgotten={() => setStep({ kind: "forgotten" })} />;
}
