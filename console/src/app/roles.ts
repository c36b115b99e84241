/** The roles that the user may give to others: those that allow nothing that their own does not. */
import type { Schemas } from "./api.ts";
import { translated } from "./i18n.ts";
import { may } from "./permissions.ts";
import { useRead } from "./reads.ts";
import { useUser } from "./session.tsx";

type Role = Schemas["RoleResponse"];

/** A built-in role in the reader's language; a shop's own as it is named. */
export const roleLabel = (name: string): string => translated("role_name", name, name);

/** What a role is for; of a built-in one in the reader's language. */
export const descriptionOf = ({ name, description, is_built_in }: Role): string => (is_built_in ? translated("role", name, description ?? "") : (description ?? ""));

export function useRoles(): { value: string; label: string }[] {
  const user = useUser();
  const { data } = useRead<Schemas["RolesResponse"]>(may(user, "user.read") ? "/roles" : undefined, {}, { staleMs: 60_000 });
  const roles = data?.items.filter((role) => role.permissions.every((permission) => may(user, permission))) ?? [];
  return roles.length ? roles.map((role) => ({ value: role.name, label: role.description ? `${roleLabel(role.name)}: ${descriptionOf(role)}` : roleLabel(role.name) })) : [{ value: user.role, label: roleLabel(user.role) }];
}
