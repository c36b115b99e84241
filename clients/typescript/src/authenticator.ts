/** The credentials of a client, and the access tokens that it gets with them. */

/** For machines: tills, integrations. */
export interface ApiKey {
  apiKey: string;
}
/** OAuth2: the id and the secret of an API key, exchanged for access tokens. */
export interface ClientCredentials {
  clientId: string;
  clientSecret: string;
}
/** An access token, renewed with the refresh token if there is one. */
export interface Session {
  accessToken: string;
  refreshToken?: string;
}
/** The cookie of `POST /auth/session`; `csrfToken` returns the value of the cookie that `csrf_cookie` names. */
export interface BrowserSession {
  csrfToken: () => string;
}
export type Credentials = ApiKey | ClientCredentials | Session | BrowserSession;

export interface Tokens {
  access_token: string;
  expires_in: number;
  refresh_token?: string;
}

type TokenRequest = (path: string, body: unknown, isForm?: boolean) => Promise<Tokens>;
const EXPIRY_MARGIN_SECONDS = 5;

/** `request` sends a request without credentials, which is therefore never repeated once it was sent. */
export class Authenticator {
  #token: string | undefined;
  #expiresAt = Infinity;
  #renewal: Promise<void> | undefined;

  constructor(
    public credentials: Credentials | undefined,
    private readonly request: TokenRequest,
  ) {
    this.#token = credentials && "accessToken" in credentials ? credentials.accessToken : undefined;
  }

  /** Use the response of a login or a refresh. */
  setTokens(tokens: Tokens): void {
    this.#token = tokens.access_token;
    this.#expiresAt = performance.now() + (tokens.expires_in - EXPIRY_MARGIN_SECONDS) * 1000;
    if (!this.credentials || !("clientId" in this.credentials)) {
      const refresh = tokens.refresh_token === undefined ? {} : { refreshToken: tokens.refresh_token };
      this.credentials = { accessToken: tokens.access_token, ...refresh };
    }
  }

  forget(): void {
    this.credentials = this.#token = undefined;
  }

  async headers(method: string): Promise<Record<string, string>> {
    const credentials = this.credentials;
    if (!credentials) return {};
    if ("apiKey" in credentials) return { "X-API-Key": credentials.apiKey };
    if ("csrfToken" in credentials) return method === "GET" ? {} : { "X-CSRF-Token": credentials.csrfToken() };
    if (this.#canRenew() && (this.#token === undefined || performance.now() >= this.#expiresAt)) await this.#renew(this.#token);
    return this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` };
  }

  /** Get another access token in place of the one that was rejected; false if that is not possible. */
  async renew(rejected: string | null): Promise<boolean> {
    if (!this.#canRenew()) return false;
    await this.#renew(rejected?.replace("Bearer ", ""));
    return true;
  }

  #canRenew(): boolean {
    const credentials = this.credentials;
    return !!credentials && ("clientId" in credentials || ("refreshToken" in credentials && !!credentials.refreshToken));
  }

  /** Single flight: callers that come during a renewal use its token. */
  async #renew(oldToken: string | undefined): Promise<void> {
    if (this.#renewal) return this.#renewal;
    if (this.#token !== oldToken) return;
    this.#renewal = this.#requestTokens().finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }

  async #requestTokens(): Promise<void> {
    const credentials = this.credentials;
    if (credentials && "clientId" in credentials) {
      const form = { grant_type: "client_credentials", client_id: credentials.clientId, client_secret: credentials.clientSecret };
      this.setTokens(await this.request("/auth/token", form, true));
    } else if (credentials && "refreshToken" in credentials) {
      this.setTokens(await this.request("/auth/refresh", { refresh_token: credentials.refreshToken }));
    }
  }
}
