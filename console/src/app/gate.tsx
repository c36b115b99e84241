/** Shows the login without a session, and the shell around the page with one. */
import { lazy, type ReactNode, Suspense } from "react";
import { useLocation } from "@tanstack/react-router";
import { ErrorNotice, Loading } from "../parts/page.tsx";
import { SessionContext, useStoredSession } from "./session.tsx";
import { Shell } from "./shell.tsx";

const Login = lazy(() => import("../pages/login/index.tsx"));
const PUBLIC_PATHS = ["/password-reset", "/confirm-email", "/invitation"];

export function Gate({ children }: { children: ReactNode }) {
  const session = useStoredSession();
  const isPublic = useLocation({ select: ({ pathname }) => PUBLIC_PATHS.some((path) => pathname.endsWith(path)) });
  if (isPublic) return <Suspense fallback={<Loading />}>{children}</Suspense>;
  if (session.isPending) return <Loading />;
  if (session.error && !session.data) return <ErrorNotice error={session.error} onRetry={() => void session.refetch()} />;
  if (!session.data) {
    return (
      <Suspense fallback={<Loading />}>
        <Login />
      </Suspense>
    );
  }
  return (
    <SessionContext session={session.data}>
      <Shell>
        <Suspense fallback={<Loading />}>{children}</Suspense>
      </Shell>
    </SessionContext>
  );
}
