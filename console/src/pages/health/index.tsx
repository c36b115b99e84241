/** Whether the parts of the system work, and whether the ledger is sound. */
import { Alert, Button, Code, Paper, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { read, type Page as ApiPage, type Schemas } from "../../app/api.ts";
import { ago, integer, moment } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { keyOf, useRead, useWrite } from "../../app/reads.ts";
import { Loaded, Page, Section } from "../../parts/page.tsx";
import { DataTable } from "../../parts/table.tsx";
import { stateLabel } from "../../parts/words.ts";

type Status = Schemas["SystemStatus"];
type State = Schemas["ServiceState"];

const REFRESH_MS = 5000;
/** Events that wait for longer are a sign of trouble: the relay publishes within moments. */
const OLD_OUTBOX_SECONDS = 30;
const tone = (status: string): string => (status === "ok" ? "good" : status === "degraded" ? "warn strong" : "bad strong");
const WORDS: Record<string, string> = { ok: t("works"), degraded: t("degraded"), unavailable: t("unavailable"), unreachable: t("unreachable") };
const wordOf = (status: string): string => WORDS[status] ?? status.replaceAll("_", " ");

export default function HealthPage() {
  const status = useQuery({ queryKey: keyOf("/system/status"), queryFn: () => read<Status>("/system/status"), refetchInterval: REFRESH_MS });
  return (
    <Page title={t("Health")} lead={status.dataUpdatedAt ? t("Checked {{ago}}, and every few seconds", { ago: ago(status.dataUpdatedAt) }) : ""}>
      <Loaded read={status}>{(shown) => <System status={shown} />}</Loaded>
      <Integrity />
      <FailedEmails />
    </Page>
  );
}

function System({ status }: { status: Status }) {
  const services = Object.entries(status.services);
  const dead = services.flatMap(([name, { details }]) => (details && deadOf(details) ? [{ name, count: deadOf(details) }] : []));
  const { latency } = status.gateway;
  return (
    <>
      <div className="tiles">
        <Figure label={t("The system")} value={wordOf(status.status)} tone={tone(status.status)} hint={t("Release {{version}}, running since {{since}}", { version: status.gateway.version, since: moment(status.gateway.started_at) })} />
        <Figure label={t("Typical response")} value={milliseconds(latency.p50_seconds)} hint={t("Half of {{count}} requests were faster", { count: integer(latency.requests) })} />
        <Figure label={t("Slow responses")} value={milliseconds(latency.p99_seconds)} hint={t("1 of 100 requests takes longer")} />
        <Figure label={t("Events that wait")} value={integer(services.reduce((sum, [, { details }]) => sum + (details?.outbox.events ?? 0), 0))} hint={t("To be published to the other services")} />
        <Figure label={t("Dead letters")} value={integer(dead.reduce((sum, { count }) => sum + count, 0))} tone={dead.length ? "bad" : ""} hint={t("Events that could not be handled")} />
      </div>
      {dead.length ? <DeadLetters services={dead.map(({ name }) => name)} /> : null}
      <Services services={services} />
      <Queues services={services} />
    </>
  );
}

type Details = NonNullable<State["details"]>;
const deadOf = ({ outbox, queues }: Details): number => outbox.dead + queues.reduce((sum, queue) => sum + queue.dead, 0);
const milliseconds = (seconds: number | null): string => (seconds === null ? "–" : t("{{count}} ms", { count: integer(Math.round(seconds * 1000)) }));

function Figure(props: { label: string; value: string; hint: string; tone?: string }) {
  return (
    <Paper>
      <Text size="sm" c="dimmed">{props.label}</Text>
      <div className={`tile-value ${props.tone ?? ""}`}>{props.value}</div>
      <Text size="xs" c="dimmed">{props.hint}</Text>
    </Paper>
  );
}

function DeadLetters({ services }: { services: string[] }) {
  return (
    <Alert color="red" variant="outline" role="alert" title={t("Events wait for an operator")}>
      <Text size="sm">{t("Read why they failed, fix the cause, then retry them on the server:")}</Text>
      {services.map((name) => <Code key={name} block mt={6}>{`docker compose exec ${name} stockbuddy dead-letters list\ndocker compose exec ${name} stockbuddy dead-letters retry`}</Code>)}
    </Alert>
  );
}

function Services({ services }: { services: [string, State][] }) {
  return (
    <Section title={t("Services")}>
      <DataTable
        isCompact
        label={t("Services and their parts")}
        rows={services}
        rowKey={([name]) => name}
        columns={[
          { key: "name", label: t("Service"), render: ([name]) => <span className="strong">{name}</span> },
          { key: "status", label: t("State"), render: ([, service]) => <span className={tone(service.status)}>{wordOf(service.status)}</span> },
          { key: "parts", label: t("Parts"), isWideOnly: true, render: ([, service]) => Object.entries(service.parts ?? {}).map(([part, state]) => <span key={part} className={tone(state)} style={{ marginRight: 12 }}>{`${part}: ${wordOf(state)}`}</span>) },
          { key: "replicas", label: t("Replicas"), isNumber: true, render: ([, { replicas, reachable_replicas }]) => <span className={reachable_replicas < replicas ? "warn strong" : ""}>{reachable_replicas === replicas ? replicas : t("{{some}} of {{all}}", { some: reachable_replicas, all: replicas })}</span> },
          { key: "outbox", label: t("Events that wait"), isNumber: true, render: ([, { details }]) => (details ? <span className={details.outbox.oldest_seconds > OLD_OUTBOX_SECONDS ? "warn strong" : ""}>{details.outbox.events ? t("{{count}}, oldest {{seconds}} s", { count: integer(details.outbox.events), seconds: integer(Math.round(details.outbox.oldest_seconds)) }) : "0"}</span> : "–") },
          { key: "p50", label: t("Typical"), isNumber: true, isWideOnly: true, render: ([, { details }]) => milliseconds(details?.latency.p50_seconds ?? null) },
          { key: "p99", label: t("Slow"), isNumber: true, isWideOnly: true, render: ([, { details }]) => milliseconds(details?.latency.p99_seconds ?? null) },
          { key: "version", label: t("Version"), isWideOnly: true, render: ([, { details }]) => details?.version ?? "–" },
        ]}
      />
    </Section>
  );
}

function Queues({ services }: { services: [string, State][] }) {
  const queues = services.flatMap(([, { details }]) => details?.queues ?? []);
  const count = (value: number, tone: string) => <span className={value ? tone : "dim"}>{integer(value)}</span>;
  return (
    <Section title={t("Queues")}>
      <DataTable
        isCompact
        label={t("Queues and what waits in them")}
        rows={queues}
        rowKey={(row) => row.group}
        columns={[
          { key: "group", label: t("Queue"), render: (row) => row.group },
          { key: "retry", label: t("Being retried"), isNumber: true, render: (row) => count(row.retry, "warn strong") },
          { key: "parked", label: t("Wait for another"), isNumber: true, render: (row) => count(row.parked, "warn strong") },
          { key: "dead", label: t("Dead letters"), isNumber: true, render: (row) => count(row.dead, "bad strong") },
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
              { key: "to", label: t("Recipient"), render: (row) => row.recipient },
              { key: "kind", label: t("Kind"), render: (row) => row.kind },
              { key: "state", label: t("State"), render: (row) => stateLabel(row.state) },
              { key: "at", label: t("Written"), isWideOnly: true, render: (row) => moment(row.created_at) },
              { key: "error", label: t("Last problem"), render: (row) => <div className="clip">{row.last_error ?? ""}</div> },
            ]} />
          )
        }
      </Loaded>
    </Section>
  );
}
