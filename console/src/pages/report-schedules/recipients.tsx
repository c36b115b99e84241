/** The people who receive a report: chosen by their names, for users who may see the others. */
import { Button, Group, Stack, Text } from "@mantine/core";
import type { Page, Person } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { may } from "../../app/permissions.ts";
import { useRead } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { Picker } from "../../parts/inputs.tsx";

const PAGE_SIZE = 100;

const shown = (person: Person): string => person.full_name || person.username;

/** The names of users by their ids; without the permission, only one's own. */
export function useNames(): (id: number) => string {
  const user = useUser();
  const { data } = useRead<Page<Person>>(may(user, "user.read") ? "/users" : undefined, { page_size: PAGE_SIZE }, { staleMs: 60_000 });
  const names = new Map(data?.items.map((one) => [one.id, shown(one)]));
  return (id) => names.get(id) ?? (id === user.id ? user.username : `#${id}`);
}

export function Recipients({ ids, error, onChange }: { ids: number[]; error: string | undefined; onChange: (ids: number[]) => void }) {
  const nameOf = useNames();
  return (
    <Stack gap={6}>
      <Picker<Person> label={t("Add a recipient")} path="/users" error={error} show={(one) => ({ id: one.id, label: shown(one), hint: one.email })} onPick={(one) => onChange([...ids.filter((id) => id !== one.id), one.id])} />
      <Group gap="xs" role="list" aria-label={t("Recipients")}>
        {ids.map((id) => (
          <span key={id} role="listitem" className="nowrap">
            {nameOf(id)} <Button size="compact-xs" variant="subtle" aria-label={t("Remove {{name}}", { name: nameOf(id) })} onClick={() => onChange(ids.filter((one) => one !== id))}>✕</Button>
          </span>
        ))}
        {ids.length === 0 ? <Text size="sm" c="dimmed">{t("At least one person receives it.")}</Text> : null}
      </Group>
    </Stack>
  );
}
