/** Who is logged in. Without a session the console shows the login; a session that ends in between does, too. */
import { createContext, type ReactNode, useContext } from "react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { claimReads, findKeptSession, forgetReads } from "../offline/kept-reads.ts";
import { client, csrfToken, isUnreachable, messageOf, read, send, type Schemas, type User } from "./api.ts";
import { setCompany } from "./format.ts";
import { reportBroken } from "./live.ts";

export type Company = Schemas["CompanyResponse"];

export interface Session {
  user: User;
  company: Company;
}

const Context = createContext<Session | null>(null);

/** The session of a page; only below `SessionContext`. */
export function useSession(): Session {
  const session = useContext(Context);
  if (session === null) throw new Error("no session");
  return session;
}

export const useUser = (): User => useSession().user;

export function SessionContext({ session, children }: { session: Session; children: ReactNode }) {
  return <Context value={session}>{children}</Context>;
}

export const SESSION_KEY = ["session"];

/** The session, null without one. Reads nothing if the browser has no cookie. */
export function useStoredSession() {
  return useQuery({ queryKey: SESSION_KEY, queryFn: loadSession, staleTime: Number.POSITIVE_INFINITY, retry: false });
}

const TIMEOUT_SECONDS = 20;
/** With a session of an earlier visit, which can be shown instead. */
const SHORT_TIMEOUT_SECONDS = 4;

async function loadSession(): Promise<Session | null> {
  if (csrfToken() === "") {
    await forgetReads();
    return null;
  }
  const kept = await findKeptSession();
  const timeoutSeconds = kept === undefined ? TIMEOUT_SECONDS : navigator.onLine ? SHORT_TIMEOUT_SECONDS : 1;
  try {
    const [user, company] = await Promise.all([read<User>("/auth/profile", {}, { timeoutSeconds }), read<Company>("/system-settings/company", {}, { timeoutSeconds })]);
    setCompany(company);
    await claimReads({ user, company });
    return { user, company };
  } catch (error) {
    if (kept === undefined || !isUnreachable(error)) throw error;
    reportBroken(kept.at);
    setCompany(kept.session.company);
    return kept.session;
  }
}

/** Load the session that a login has created. */
export function useNewSession() {
  const queries = useQueryClient();
  return async (): Promise<void> => {
    await queries.fetchQuery({ queryKey: SESSION_KEY, queryFn: loadSession, staleTime: 0 });
  };
}

/** Log in and load the session. */
export function useLogin() {
  const loadNewSession = useNewSession();
  return async (username: string, password: string): Promise<void> => {
    await client.request("POST", "/auth/session", { body: { username, password } });
    await loadNewSession();
  };
}

/** `onError` receives why the session has not ended. */
export function useLogout(onError: (message: string) => void) {
  const queries = useQueryClient();
  return async (): Promise<void> => {
    try {
      await send("DELETE", "/auth/session");
    } catch (error) {
      onError(messageOf(error));
      return;
    }
    await forgetReads();
    queries.clear();
    location.reload();
  };
}
