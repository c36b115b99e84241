/** The pages before the login: a frame in the middle of the window, with one form. */
import { type ReactNode, useEffect, useState } from "react";
import { Button, Paper, PasswordInput, type PasswordInputProps, Stack, Text, Title } from "@mantine/core";
import { loadOtherTexts, t } from "../app/i18n.ts";
import { LanguageSelect } from "./language.tsx";
import { Problem } from "./page.tsx";
import { useSubmission } from "./submission.ts";

export function PublicPage({ children }: { children: ReactNode }) {
  useEffect(() => void loadOtherTexts(), []); // they name problems
  return (
    <main style={{ minHeight: "100vh", display: "grid", placeItems: "center", padding: 16 }}>
      <Paper p="xl" w="100%" maw={420} shadow="sm">
        {children}
        <div style={{ marginTop: 24 }}><LanguageSelect /></div>
      </Paper>
    </main>
  );
}

interface FormProps {
  title: string;
  lead: ReactNode;
  button: string;
  isDisabled?: boolean;
  onSubmit: () => Promise<unknown>;
  /** Receives the messages of the server by field. */
  children?: (errors: Record<string, string>) => ReactNode;
}

export function PublicForm(props: FormProps) {
  const { submit, isBusy, error, fields } = useSubmission(props.onSubmit);
  useTitle(props.title);
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Title order={1}>{props.title}</Title>
        <Text c="dimmed" size="sm">{props.lead}</Text>
        <Problem error={Object.keys(fields).length ? undefined : error} />
        {props.children?.(fields)}
        <Button type="submit" loading={isBusy} disabled={props.isDisabled ?? false} size="md" mt="xs">{props.button}</Button>
      </Stack>
    </form>
  );
}

/** What a form has led to, and the way on. */
export function PublicResult(props: { title: string; text: ReactNode; action: ReactNode }) {
  useTitle(props.title);
  return (
    <Stack role="status">
      <Title order={1}>{props.title}</Title>
      <Text>{props.text}</Text>
      {props.action}
    </Stack>
  );
}

export function Password(props: PasswordInputProps) {
  return <PasswordInput required visibilityToggleButtonProps={{ "aria-label": t("Show the password"), tabIndex: 0 }} {...props} />;
}

function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Stockbuddy`;
  }, [title]);
}

/** The values of the fragment, which e-mails and redirects carry; the address loses it, so that no copy has them. */
export function useFragment(): URLSearchParams {
  const [values] = useState(() => new URLSearchParams(location.hash.slice(1)));
  useEffect(() => {
    if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  }, []);
  return values;
}
