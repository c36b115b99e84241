/** The cache of what was read. What was read last stays readable while the server can't be reached. */
import { QueryCache, QueryClient } from "@tanstack/react-query";
import { forgetReads, keepRead } from "../offline/kept-reads.ts";
import { errors } from "./api.ts";
import { SESSION_KEY } from "./session.tsx";

export const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (!(error instanceof errors.Unauthenticated)) return;
      queries.setQueryData(SESSION_KEY, null);
      void forgetReads();
    },
    onSuccess: (data, query) => void keepRead(query.queryHash, query.queryKey, data).catch(() => undefined), // the disk may be full
  }),
  defaultOptions: {
    queries: { staleTime: 5_000, gcTime: 30 * 60_000, retry: false, networkMode: "always", refetchOnWindowFocus: true },
    mutations: { retry: false, networkMode: "always" },
  },
});
