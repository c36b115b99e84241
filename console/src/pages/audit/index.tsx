/** Who did what, from where, with what change; and whether the trail is complete. */
import { Button } from "@mantine/core";
import { read, type Schemas } from "../../app/api.ts";
import { integer, moment } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { announce, useWrite } from "../../app/reads.ts";
import { ChangeSummary } from "../../parts/changes.tsx";
import { ListPage } from "../../parts/list.tsx";

type Entry = Schemas["AuditEntryResponse"];

export default function AuditPage() {
  const verify = useWrite(() => read<Schemas["AuditVerificationResponse"]>("/audit-logs/verify"), {
    onDone: (result) =>
      result.ok
        ? announce(t("Complete and unchanged: {{count}} entries", { count: integer(result.entries) }))
        : announce(t("Entry {{id}} does not fit the one before: the trail was changed", { id: result.first_bad_id ?? "?" }), { isError: true }),
  });
  return (
    <ListPage<Entry>
      title={t("Audit trail")}
      lead={t("Each entry carries the hash of the one before, so that nothing can be removed unnoticed.")}
      path="/audit-logs"
      actions={<Button variant="default" loading={verify.isPending} onClick={() => verify.mutate(undefined)}>{t("Verify the trail")}</Button>}
      filters={[{ kind: "search", name: "search", label: t("Person, subject, text") }, { kind: "search", name: "type", label: t("Type, as auth.*") }, { kind: "day", name: "from", label: t("From") }, { kind: "day", name: "to", label: t("Before") }]}
      columns={[
        { key: "at", label: t("When"), text: (row) => row.at, render: (row) => <span className="nowrap">{moment(row.at)}</span> },
        { key: "who", label: t("Who"), text: (row) => row.actor, render: (row) => row.actor ?? t("the system") },
        { key: "type", label: t("What"), text: (row) => row.type, render: (row) => row.type },
        { key: "subject", label: t("On"), text: (row) => row.subject, render: (row) => row.subject ?? "" },
        { key: "changes", label: t("Changes"), isWideOnly: true, text: (row) => JSON.stringify(row.changes), render: (row) => <ChangeSummary changes={row.changes} /> },
        { key: "address", label: t("From where"), isWideOnly: true, text: (row) => row.ip_address, render: (row) => row.ip_address ?? "" },
      ]}
      empty={{ title: t("Nothing recorded yet"), text: t("Every change that a person or a program makes appears here.") }}
    />
  );
}
