/** What the user may do: the permissions of their role, as the API names them. */
import type { Schemas, User } from "./api.ts";

export type Permission = Schemas["Permission"];

export function may(user: User, permission: Permission): boolean {
  return user.permissions.includes(permission);
}

/** Whether the user may open what requires the permission, or any of several; without one, everyone may. */
export function mayOpen(user: User, { permission }: { permission?: Permission | Permission[] }): boolean {
  return permission === undefined || [permission].flat().some((one) => may(user, one));
}

/** With `catalog.write_any` users change everything, otherwise what they own. */
export function mayChange(user: User, owned: { owner_id: number | null }): boolean {
  return may(user, "catalog.write_any") || (may(user, "catalog.write") && owned.owner_id === user.id);
}
