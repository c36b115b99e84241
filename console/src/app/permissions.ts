/** What the person may do, as the API enforces it. */
import type { Profile } from "./api.ts";

export type Permission = Profile["permissions"][number];

export function may(user: Profile, permission: Permission): boolean {
  return user.permissions.includes(permission);
}

/** Some change what they own, others everything. */
export function mayChange(user: Profile, owned: { owner_id: number | null }): boolean {
  return may(user, "catalog.write_any") || (may(user, "catalog.write") && owned.owner_id === user.id);
}
