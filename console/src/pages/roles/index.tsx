/** Roles: what people, tills and integrations may do. */
import { useState } from "react";
import { Group, TextInput } from "@mantine/core";
import { send, type Schemas } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { descriptionOf, roleLabel } from "../../app/roles.ts";
import { may } from "../../app/permissions.ts";
import { useRead, useWrite } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { ConfirmButton, DialogButton, FormDialog } from "../../parts/dialog.tsx";
import { Loaded, Page } from "../../parts/page.tsx";
import { PermissionChoice, type PermissionInfo, PermissionSummary } from "../../parts/permissions.tsx";
import { DataTable } from "../../parts/table.tsx";
import { Tag } from "../../parts/texts.tsx";

type Role = Schemas["RoleResponse"];

export default function RolesPage() {
  const user = useUser();
  const roles = useRead<Schemas["RolesResponse"]>("/roles");
  const permissions = useRead<Schemas["PermissionsResponse"]>("/permissions");
  const canManage = may(user, "role.manage");
  return (
    <Loaded read={permissions}>
      {({ items }) => (
        <Page title={t("Roles")} lead={t("What people, tills and apps may do. Built-in roles stay as they are; copy one to change it.")} actions={canManage ? <DialogButton label={t("New role")}>{(close) => <RoleDialog permissions={items} onClose={close} />}</DialogButton> : null}>
            <Loaded read={roles}>
              {(found) => (
                <DataTable<Role>
                  label={t("Roles")}
                  rows={found.items}
                  rowKey={(row) => row.name}
                  columns={[
                    { key: "name", label: t("Name"), render: (row) => <><span className="strong">{roleLabel(row.name)}</span> {row.is_built_in ? <Tag>{t("built in")}</Tag> : null}<div className="dim">{descriptionOf(row)}</div></> },
                    { key: "permissions", label: t("Permissions"), render: (row) => <PermissionSummary names={row.permissions} permissions={items} /> },
                    { key: "discount", label: t("Discounts"), render: (row) => discountOf(row) },
                    { key: "actions", label: t("Actions"), isAction: true, render: (row) => (canManage ? <Actions role={row} permissions={items} /> : "") },
                  ]}
                />
              )}
            </Loaded>
        </Page>
      )}
    </Loaded>
  );
}

function discountOf(role: Role): string {
  if (!role.permissions.includes("sale.discount")) return t("none");
  return role.max_discount_percent === null ? t("without limit") : t("up to {{percent}} %", { percent: role.max_discount_percent });
}

function Actions({ role, permissions }: { role: Role; permissions: PermissionInfo[] }) {
  const remove = useWrite(() => send("DELETE", `/roles/${role.name}`), { showsErrors: false, done: () => t("Role {{name}} deleted", { name: role.name }) });
  return (
    <Group gap={6} wrap="nowrap">
      <DialogButton size="compact-xs" variant="default" label={t("Copy")} description={t("Copy the role {{name}}", { name: roleLabel(role.name) })}>{(close) => <RoleDialog template={role} permissions={permissions} onClose={close} />}</DialogButton>
      {role.is_built_in ? null : <DialogButton size="compact-xs" variant="default" label={t("Edit")} description={t("Edit the role {{name}}", { name: role.name })}>{(close) => <RoleDialog role={role} permissions={permissions} onClose={close} />}</DialogButton>}
      {role.is_built_in ? null : <ConfirmButton size="compact-xs" variant="subtle" label={t("Delete")} description={t("Delete the role {{name}}", { name: role.name })} title={t("Delete the role {{name}}?", { name: role.name })} text={t("Users, keys, invitations and settings must not refer to it.")} onConfirm={() => remove.mutateAsync(undefined)} />}
    </Group>
  );
}

/** `template`: the role that a new one begins with. */
function RoleDialog({ role, template, permissions, onClose }: { role?: Role; template?: Role; permissions: PermissionInfo[]; onClose: () => void }) {
  const user = useUser();
  const initial = role ?? template;
  const [name, setName] = useState(role?.name ?? "");
  const [description, setDescription] = useState(initial?.description ?? "");
  const [chosen, setChosen] = useState<string[]>(() => (initial?.permissions ?? ["catalog.read", "stock.read"]).filter((one) => role || may(user, one)));
  const [percent, setPercent] = useState(String(initial?.max_discount_percent ?? ""));
  const fields = { description: description || null, permissions: chosen, max_discount_percent: percent.trim() === "" ? null : percent.trim() };
  const save = useWrite(() => (role ? send("PATCH", `/roles/${role.name}`, fields) : send("POST", "/roles", { name, ...fields })), { showsErrors: false, done: () => t("{{name}} saved", { name: role?.name ?? name }) });
  return (
    <FormDialog size="lg" title={role ? t("Role {{name}}", { name: role.name }) : t("New role")} button={t("Save")} isDisabled={!name || chosen.length === 0} onClose={onClose} onSubmit={() => save.mutateAsync(undefined)}>
      {(problems) => (
        <>
          {role ? null : <TextInput label={t("Name")} description={t("Small letters, digits and hyphens; it does not change later")} data-autofocus required value={name} error={problems.name} onChange={(event) => setName(event.currentTarget.value)} />}
          <TextInput label={t("What it is for")} value={description} error={problems.description} onChange={(event) => setDescription(event.currentTarget.value)} />
          <TextInput label={t("Largest discount, in percent")} description={t("Empty: without limit")} inputMode="decimal" value={percent} error={problems.max_discount_percent} onChange={(event) => setPercent(event.currentTarget.value)} />
          <PermissionChoice label={t("May")} permissions={permissions} chosen={chosen} error={problems.permissions} onChange={setChosen} />
        </>
      )}
    </FormDialog>
  );
}
