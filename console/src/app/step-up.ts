/** Calls that need a fresh proof of identity wait for it, and are then repeated. */
import { useSyncExternalStore } from "react";

export type Method = "code" | "passkey" | "password";

interface Question {
  methods: Method[];
  answer: (isProved: boolean) => void;
}

let question: Question | undefined;
const listeners = new Set<() => void>();

function ask(next: Question | undefined): void {
  question = next;
  for (const listener of listeners) listener();
}

/** Whether the person has proved their identity; false if they cancelled. Calls at the same time share one dialog. */
export function proveIdentity(methods: Method[]): Promise<boolean> {
  const earlier = question;
  return new Promise((resolve) => {
    ask({
      methods,
      answer: (isProved) => {
        earlier?.answer(isProved);
        ask(undefined);
        resolve(isProved);
      },
    });
  });
}

export function useStepUp(): Question | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => question,
  );
}
