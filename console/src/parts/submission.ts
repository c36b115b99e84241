/** The submission of a form: busy while it runs, and its error afterwards. */
import { type FormEvent, useState } from "react";
import { fieldErrors } from "../app/api.ts";

interface Submission {
  run: () => Promise<void>;
  submit: (event: FormEvent) => void;
  isBusy: boolean;
  error: unknown;
  /** The error's messages by field. */
  fields: Record<string, string>;
}

export function useSubmission(action: () => Promise<unknown>): Submission {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await action();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void run();
  };
  return { run, submit, isBusy, error, fields: fieldErrors(error) };
}
