/** The people who receive a report: chosen by their names. */
import { useRef } from "react";
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import type { Page, Schemas } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { useRead } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { Picker } from "../../parts/inputs.tsx";

type Recipient = Schemas["ReportRecipientResponse"];

const PATH = "/report-recipients";
/** More than a schedule has. */
const PAGE_SIZE = 100;

export interface Recipients {
  nameOf: (id: number) => string;
  /** Whether a report of this user reaches the person; true until it is known. */
  isReached: (id: number) => boolean;
}

/** The users with these ids. Those who may not read any report have no name here. */
export function useRecipients(ids: number[]): Recipients {
  const user = useUser();
  const { data } = useRead<Page<Recipient>>(PATH, { ids: [...new Set(ids)], page_size: PAGE_SIZE }, { staleMs: 60_000 });
  const found = new Map(data?.items.map((one) => [one.id, one]));
  return {
    nameOf: (id) => found.get(id)?.name ?? (id === user.id ? user.full_name || user.username : t("User {{id}}", { id })),
    isReached: (id) => data === undefined || found.get(id)?.missing_permissions.length === 0,
  };
}

export function RecipientsInput({ ids, error, onChange }: { ids: number[]; error: string | undefined; onChange: (ids: number[]) => void }) {
  const user = useUser();
  const list = useRef<HTMLDivElement>(null);
  const { nameOf, isReached } = useRecipients(ids);
  const unreached = ids.filter((id) => !isReached(id)).map(nameOf);
  const add = (id: number): void => onChange([...ids.filter((one) => one !== id), id]);
  const remove = (id: number): void => {
    onChange(ids.filter((one) => one !== id));
    list.current?.focus(); // the button that had the focus disappears
  };
  return (
    <Stack gap={6}>
      <Picker<Recipient>
        label={t("Add a recipient")}
        placeholder={t("Name")}
        path={PATH}
        error={error}
        show={(one) => ({ id: one.id, label: one.name, hint: one.missing_permissions.length ? t("May not see all of it") : "" })}
        onPick={(one) => add(one.id)}
      />
      <Group gap="xs" role="list" aria-label={t("Recipients")} ref={list} tabIndex={-1}>
        {ids.map((id) => (
          <span key={id} role="listitem">
            {nameOf(id)} <Button size="compact-xs" variant="subtle" aria-label={t("Remove {{name}}", { name: nameOf(id) })} onClick={() => remove(id)}>✕</Button>
          </span>
        ))}
      </Group>
      {ids.includes(user.id) ? null : <div><Button size="compact-sm" variant="default" onClick={() => add(user.id)}>{t("Add me")}</Button></div>}
      {ids.length === 0 ? <Text size="sm" c="dimmed">{t("At least one person receives it.")}</Text> : null}
      {unreached.length ? <Alert color="orange" variant="outline">{t("Not sent to {{names}}: your reports show what they may not see, such as costs or customers.", { names: unreached.join(", ") })}</Alert> : null}
    </Stack>
  );
}
