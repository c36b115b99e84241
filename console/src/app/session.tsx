/** Who is logged in. Without a session the console shows the login; a session that ends in between does, too. */
import { createContext, type ReactNode, useContext } from "react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { client, csrfToken, read, send, type Schemas, type User } from "./api.ts";
import { setCompany } from "./format.ts";

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

async function loadSession(): Promise<Session | null> {
  if (csrfToken() === "") return null;
  const [user, company] = await Promise.all([read<User>("/auth/profile"), read<Company>("/system-settings/company")]);
  setCompany(company);
  return { user, company };
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

export function useLogout() {
  const queries = useQueryClient();
  return async (): Promise<void> => {
    await send("DELETE", "/auth/session");
    queries.clear();
    location.reload();
  };
}
