/** Whether the parts of the system work, and whether the ledger is sound. */
import { Alert, Button, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { PATH_PREFIX } from "../../app/page.ts";
import { read, type Page as ApiPage, type Schemas } from "../../app/api.ts";
import { ago, integer, moment } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useRead, useWrite } from "../../app/reads.ts";
import { Loaded, Page, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";

interface Health {
  status: string;
  services: Record<string, { status: string; parts: Record<string, string> }>;
}

const REFRESH_MS = 5000;
const tone = (status: string): string => (status === "ok" ? "good" : status === "degraded" ? "warn strong" : "bad strong");

export default function HealthPage() {
  const health = useQuery({ queryKey: ["health"], queryFn: loadHealth, refetchInterval: REFRESH_MS });
  return (
    <Page title={t("Health")} lead={health.dataUpdatedAt ? t("Checked {{ago}}, and every few seconds", { ago: ago(health.dataUpdatedAt) }) : ""}>
      <Loaded read={health}>{(shown) => <Services health={shown} />}</Loaded>
      <Integrity />
      <FailedEmails />
    </Page>
  );
}

async function loadHealth(): Promise<Health> {
  const response = await fetch(`${PATH_PREFIX}/health/ready`, { headers: { Accept: "application/json" } });
  return (await response.json()) as Health;
}

function Services({ health }: { health: Health }) {
  return (
    <Section title={t("Services")} actions={<span className={tone(health.status)}>{health.status}</span>}>
      <DataTable
        isCompact
        label={t("Services and their parts")}
        rows={Object.entries(health.services)}
        rowKey={([name]) => name}
        columns={[
          { key: "name", label: t("Service"), render: ([name]) => <span className="strong">{name}</span> },
          { key: "status", label: t("State"), render: ([, service]) => <span className={tone(service.status)}>{service.status}</span> },
          { key: "parts", label: t("Parts"), render: ([, service]) => Object.entries(service.parts).map(([part, status]) => <span key={part} className={tone(status)} style={{ marginRight: 12 }}>{part}: {status}</span>) },
        ]}
      />
    </Section>
  );
}

function Integrity() {
  const check = useWrite(() => read<Schemas["IntegrityResponse"]>("/stock/integrity", { values: true }));
  const result = check.data;
  return (
    <Section title={t("The ledger")} actions={<Button size="xs" variant="default" loading={check.isPending} onClick={() => check.mutate(undefined)}>{t("Check now")}</Button>}>
      <Text size="sm" c="dimmed">{t("Every stock level must equal the sum of its movements, every reserved quantity the sum of its reservations, every value that of its cost layers.")}</Text>
      {result ? (
        <Alert mt="sm" variant="outline" color={result.ok ? "teal" : "red"} role="status" title={result.ok ? t("All levels and values agree with the ledger") : t("{{count}} differences", { count: integer(result.differences.length + result.value_differences.length) })} />
      ) : null}
    </Section>
  );
}

function FailedEmails() {
  const emails = useRead<ApiPage<Schemas["NotificationEmailResponse"]>>("/notifications/emails", { page_size: 20 });
  return (
    <Section title={t("E-mails")}>
      <Loaded read={emails}>
        {(page) =>
          page.items.length === 0 ? <Text c="dimmed" size="sm">{t("No e-mail is waiting.")}</Text> : (
            <DataTable isCompact label={t("E-mails and their state")} rows={page.items} rowKey={(row) => row.id} columns={[
              { key: "to", label: t("To"), render: (row) => row.recipient },
              { key: "kind", label: t("Kind"), render: (row) => row.kind },
              { key: "state", label: t("State"), render: (row) => row.state },
              { key: "at", label: t("Written"), isWideOnly: true, render: (row) => moment(row.created_at) },
              { key: "error", label: t("Last problem"), render: (row) => <div className="clip">{row.last_error ?? ""}</div> },
            ]} />
          )
        }
      </Loaded>
    </Section>
  );
}
