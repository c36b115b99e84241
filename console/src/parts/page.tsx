/** The frame of a page, and what it shows while it loads, without content and with an error. */
import { type ReactNode, useEffect } from "react";
import { Alert, Button, Group, Loader, Paper, Stack, Text, Title } from "@mantine/core";
import { errors, isUnreachable, messageOf } from "../app/api.ts";
import { t } from "../app/i18n.ts";

export function Page(props: { title: string; lead?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${props.title} · Stockbuddy`;
  }, [props.title]);
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-start" gap="sm">
        <div>
          <Title order={1}>{props.title}</Title>
          {props.lead ? <Text c="dimmed" size="sm">{props.lead}</Text> : null}
        </div>
        <Group gap="xs" className="no-print">{props.actions}</Group>
      </Group>
      {props.children}
    </Stack>
  );
}

export function Section(props: { title: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <Paper component="section" aria-label={props.title}>
      <Group justify="space-between" mb="xs">
        <Title order={2}>{props.title}</Title>
        {props.actions}
      </Group>
      {props.children}
    </Paper>
  );
}

/** `text` says what to do next. */
export function EmptyState(props: { title: string; text: ReactNode; action?: ReactNode }) {
  return (
    <Paper p="xl">
      <Stack align="center" gap="xs" py="lg">
        <Title order={2}>{props.title}</Title>
        <Text c="dimmed" ta="center" maw={460}>{props.text}</Text>
        {props.action}
      </Stack>
    </Paper>
  );
}

export function ErrorNotice({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const requestId = (error as { request_id?: string }).request_id;
  const title =
    error instanceof errors.NotFound ? t("Not found") : error instanceof errors.Forbidden ? t("Not permitted") : t("This could not be loaded");
  return (
    <Alert color="red" variant="outline" title={title} role="alert">
      <Stack gap={6} align="flex-start">
        <Text size="sm">{messageOf(error)}{isUnreachable(error) ? ` ${t("This device has not read it lately.")}` : ""}</Text>
        {requestId ? <Text size="xs" c="dimmed">{t("Request {{id}}", { id: requestId })}</Text> : null}
        {onRetry ? <Button size="xs" variant="default" onClick={onRetry}>{t("Try again")}</Button> : null}
      </Stack>
    </Alert>
  );
}

/** What went wrong, beside its cause; nothing without an error. */
export function Problem({ error }: { error: unknown }) {
  if (!error) return null;
  const text = error instanceof errors.TooManyRequests ? t("Too many attempts. Wait a minute and try again.") : messageOf(error);
  return <Alert color="red" variant="outline" role="alert">{text}</Alert>;
}

export function Loading() {
  return (
    <Group justify="center" p="xl" role="status" aria-label={t("Loading")}>
      <Loader size="sm" />
    </Group>
  );
}

interface Read<Value> {
  data: Value | undefined;
  error: unknown;
  refetch: () => unknown;
}

/** The content of a read: what was read last stays visible when reading it again fails. */
export function Loaded<Value>({ read, children }: { read: Read<Value>; children: (value: Value) => ReactNode }) {
  if (read.data !== undefined) return <>{children(read.data)}</>;
  return read.error ? <ErrorNotice error={read.error} onRetry={() => void read.refetch()} /> : <Loading />;
}
