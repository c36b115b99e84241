/** The people, and the invitations that are still open. */
import { useState } from "react";
import { Alert, Button, Checkbox, Code, NativeSelect, TextInput } from "@mantine/core";
import { send, type Page as ApiPage, type Person, type Schemas } from "../../app/api.ts";
import { day } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { PATH_PREFIX } from "../../app/page.ts";
import { useRead, useWarehouses, useWrite } from "../../app/reads.ts";
import { roleLabel, useRoles } from "../../app/roles.ts";
import { DialogButton, FormDialog } from "../../parts/dialog.tsx";
import { ListPage } from "../../parts/list.tsx";
import { Loaded, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";
import { Tag } from "../../parts/texts.tsx";

export default function UsersPage() {
  const warehouses = useWarehouses();
  const roles = useRoles();
  const [token, setToken] = useState("");
  return (
    <>
      <ListPage<Person>
        title={t("Users")}
        path="/users"
        actions={<DialogButton label={t("Invite a user")}>{(close) => <InviteDialog onClose={close} onCreated={setToken} />}</DialogButton>}
        filters={[{ kind: "search", name: "search", label: t("Name or e-mail") }, { kind: "select", name: "role", label: t("Role"), options: roles.map(({ value }) => ({ value, label: roleLabel(value) })) }, { kind: "select", name: "is_active", label: t("State"), options: [{ value: "true", label: t("Active") }, { value: "false", label: t("Deactivated") }] }]}
        columns={[
          { key: "name", label: t("Name"), text: (row) => row.username, render: (row) => <><span className="strong">{row.full_name || row.username}</span> {row.is_active ? null : <Tag>{t("deactivated")}</Tag>}<div className="dim">{row.username}</div></> },
          { key: "email", label: t("E-mail"), text: (row) => row.email, render: (row) => row.email },
          { key: "role", label: t("Role"), text: (row) => row.role, render: (row) => roleLabel(row.role) },
          { key: "warehouses", label: t("Warehouses"), isWideOnly: true, render: (row) => (row.warehouse_ids ? row.warehouse_ids.map(warehouses.nameOf).join(", ") : t("all")) },
          { key: "since", label: t("Since"), isWideOnly: true, text: (row) => row.created_at, render: (row) => day(row.created_at) },
          { key: "edit", label: t("Actions"), isAction: true, render: (row) => <DialogButton size="compact-xs" variant="default" label={t("Edit")}>{(close) => <UserDialog user={row} onClose={close} />}</DialogButton> },
        ]}
        empty={{ title: t("Only you"), text: t("Invite the people who work here.") }}
      />
      <div style={{ marginTop: 24 }}>
        {token ? <Alert mb="sm" color="teal" variant="outline" title={t("Send this link to the person; it is not shown again, and works once")} withCloseButton closeButtonLabel={t("Close")} onClose={() => setToken("")}><Code style={{ overflowWrap: "anywhere" }}>{`${location.origin}${PATH_PREFIX}/invitation#token=${token}`}</Code></Alert> : null}
        <Invitations />
      </div>
    </>
  );
}

function WarehouseBoxes({ chosen, onChange }: { chosen: number[] | null; onChange: (ids: number[] | null) => void }) {
  const { items } = useWarehouses();
  return (
    <Checkbox.Group label={t("Warehouses")} description={t("None chosen: all of them")} value={(chosen ?? []).map(String)} onChange={(values) => onChange(values.length ? values.map(Number) : null)}>
      {items.map((one) => <Checkbox key={one.id} mt={6} value={String(one.id)} label={one.name} />)}
    </Checkbox.Group>
  );
}

function UserDialog({ user, onClose }: { user: Person; onClose: () => void }) {
  const roles = useRoles();
  const [role, setRole] = useState<string>(user.role);
  const [isActive, setActive] = useState(user.is_active);
  const [warehouseIds, setWarehouseIds] = useState(user.warehouse_ids);
  const save = useWrite(() => send("PATCH", `/users/${user.id}`, { role, is_active: isActive, warehouse_ids: warehouseIds }), { showsErrors: false, done: () => t("{{name}} saved", { name: user.username }) });
  return (
    <FormDialog title={user.full_name || user.username} button={t("Save")} onClose={onClose} onSubmit={() => save.mutateAsync(undefined)}>
      <NativeSelect label={t("Role")} value={role} data={roles} onChange={(event) => setRole(event.currentTarget.value)} />
      <WarehouseBoxes chosen={warehouseIds} onChange={setWarehouseIds} />
      <Checkbox label={t("May log in")} checked={isActive} onChange={(event) => setActive(event.currentTarget.checked)} />
    </FormDialog>
  );
}

function InviteDialog({ onClose, onCreated }: { onClose: () => void; onCreated: (token: string) => void }) {
  const roles = useRoles();
  const [role, setRole] = useState("salesperson");
  const [note, setNote] = useState("");
  const [warehouseIds, setWarehouseIds] = useState<number[] | null>(null);
  const create = useWrite(() => send<Schemas["InvitationTokenResponse"]>("POST", "/auth/invitations", { role, note: note || null, warehouse_ids: warehouseIds }), { showsErrors: false, onDone: ({ token }) => onCreated(token) });
  return (
    <FormDialog title={t("Invite a user")} button={t("Create the invitation")} onClose={onClose} onSubmit={() => create.mutateAsync(undefined)}>
      <TextInput label={t("For whom")} data-autofocus value={note} onChange={(event) => setNote(event.currentTarget.value)} />
      <NativeSelect label={t("Role")} value={role} data={roles} onChange={(event) => setRole(event.currentTarget.value)} />
      <WarehouseBoxes chosen={warehouseIds} onChange={setWarehouseIds} />
    </FormDialog>
  );
}

function Invitations() {
  const read = useRead<ApiPage<Schemas["InvitationResponse"]>>("/auth/invitations", { page_size: 50 });
  const remove = useWrite((id: number) => send("DELETE", `/auth/invitations/${id}`), { done: () => t("Invitation withdrawn") });
  return (
    <Section title={t("Invitations")}>
      <Loaded read={read}>
        {(page) =>
          page.items.length === 0 ? <span className="dim">{t("An invitation is a link that creates one account, with the role that you choose.")}</span> : (
            <DataTable isCompact label={t("Open and used invitations")} rows={page.items} rowKey={(row) => row.id} columns={[
              { key: "note", label: t("For whom"), render: (row) => row.note ?? "–" },
              { key: "role", label: t("Role"), render: (row) => roleLabel(row.role) },
              { key: "state", label: t("State"), render: (row) => (row.is_used ? t("used on {{day}}", { day: day(row.used_at) }) : t("open until {{day}}", { day: day(row.expires_at) })) },
              { key: "actions", label: t("Actions"), isAction: true, render: (row) => (row.is_used ? "" : <Button size="compact-xs" variant="default" onClick={() => remove.mutate(row.id)}>{t("Withdraw")}</Button>) },
            ]} />
          )
        }
      </Loaded>
    </Section>
  );
}
