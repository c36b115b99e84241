/** Passkeys in the browser, with the JSON of WebAuthn Level 3 that the API reads and writes. */
import { t } from "./i18n.ts";

type Json = Record<string, unknown>;

/** Passkeys need HTTPS or `localhost`: an IP address has none. */
export function supportsPasskeys(): boolean {
  return isSecureContext && typeof PublicKeyCredential !== "undefined" && "parseRequestOptionsFromJSON" in PublicKeyCredential && !/^[\d.]+$|:/.test(location.hostname);
}

/** For `POST /auth/passkeys`. */
export async function registerPasskey(options: Json): Promise<Json> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as never);
  return toJson(await wait(navigator.credentials.create({ publicKey })));
}

/** For logins and step-up. */
export async function askForPasskey(options: Json): Promise<Json> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as never);
  return toJson(await wait(navigator.credentials.get({ publicKey })));
}

async function wait(ceremony: Promise<Credential | null>): Promise<Credential> {
  try {
    const credential = await ceremony;
    if (credential) return credential;
  } catch (error) {
    if ((error as DOMException).name === "InvalidStateError") throw new Error(t("This device has a passkey for this account already."));
  }
  throw new Error(t("The passkey was not used. Try again, or choose another way."));
}

const toJson = (credential: Credential): Json => (credential as PublicKeyCredential).toJSON() as unknown as Json;
