/** Permissions: chosen by their descriptions, in groups, and shown as a summary that opens to them. */
import { Checkbox, Code, Stack, Text } from "@mantine/core";
import type { Schemas } from "../app/api.ts";
import { t, translated } from "../app/i18n.ts";
import { useUser } from "../app/session.tsx";

export type PermissionInfo = Schemas["PermissionResponse"];

/** The groups, with the resources that the names of their permissions begin with. */
const GROUPS: [string, string[]][] = [
  [t("Products"), ["catalog", "import", "export"]],
  [t("Stock"), ["stock", "warehouse", "reservation"]],
  [t("Sales and customers"), ["sale", "customer"]],
  [t("Purchasing and costs"), ["purchase", "reorder", "expense", "cost", "report"]],
  [t("Users and access"), ["user", "role", "invitation", "key", "app", "audit"]],
];
const OTHERS = t("System");

function groupOf(name: string): string {
  const resource = name.split(".")[0] as string;
  return GROUPS.find(([, resources]) => resources.includes(resource))?.[0] ?? OTHERS;
}

function grouped(permissions: PermissionInfo[]): [string, PermissionInfo[]][] {
  const labels = [...GROUPS.map(([label]) => label), OTHERS];
  return labels.map((label): [string, PermissionInfo[]] => [label, permissions.filter(({ name }) => groupOf(name) === label)]).filter(([, found]) => found.length > 0);
}

interface ChoiceProps {
  label: string;
  permissions: PermissionInfo[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
  error?: string | undefined;
}

/** Boxes for all permissions; those that the user lacks can't be given to others. */
export function PermissionChoice({ label, permissions, chosen, onChange, error }: ChoiceProps) {
  const user = useUser();
  return (
    <Checkbox.Group label={label} value={chosen} error={error} onChange={onChange}>
      <Stack gap="md" mt="xs">
        {grouped(permissions).map(([group, found]) => (
          <fieldset key={group} className="permission-group">
            <legend>{group}</legend>
            {found.map((one) => (
              <Checkbox key={one.name} value={one.name} disabled={!user.permissions.includes(one.name)} label={translated("permission", one.name, one.description)} description={<Code>{one.name}</Code>} />
            ))}
          </fieldset>
        ))}
      </Stack>
    </Checkbox.Group>
  );
}

/** How many there are, which opens to what they allow. `permissions`: all that exist. */
export function PermissionSummary({ names, permissions }: { names: string[]; permissions: PermissionInfo[] }) {
  const own = permissions.filter(({ name }) => names.includes(name));
  return (
    <details className="permissions">
      <summary>{own.length === permissions.length ? t("all") : t("{{count}} of {{all}}", { count: own.length, all: permissions.length })}</summary>
      {grouped(own).map(([group, found]) => (
        <div key={group}>
          <Text size="sm" fw={600} mt={6}>{group}</Text>
          <ul>{found.map((one) => <li key={one.name}>{translated("permission", one.name, one.description)} <span className="dim">({one.name})</span></li>)}</ul>
        </div>
      ))}
    </details>
  );
}
