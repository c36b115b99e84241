/** The roles that the user may give to others: those that allow nothing that their own does not. */
import type { Schemas } from "./api.ts";
import { may } from "./permissions.ts";
import { useRead } from "./reads.ts";
import { useUser } from "./session.tsx";

export function useRoles(): { value: string; label: string }[] {
  const user = useUser();
  const { data } = useRead<Schemas["RolesResponse"]>(may(user, "user.read") ? "/roles" : undefined, {}, { staleMs: 60_000 });
  const roles = data?.items.filter((role) => role.permissions.every((permission) => may(user, permission))) ?? [];
  return roles.length ? roles.map(({ name, description }) => ({ value: name, label: description ? `${name}: ${description}` : name })) : [{ value: user.role, label: user.role }];
}
