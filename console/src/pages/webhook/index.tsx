/** One webhook with its deliveries. */
import { Button } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { send, type Schemas } from "../../app/api.ts";
import { moment } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useRead, useWrite } from "../../app/reads.ts";
import { ConfirmButton } from "../../parts/dialog.tsx";
import { List } from "../../parts/list.tsx";
import { Loaded, Page } from "../../parts/page.tsx";
import { State } from "../../parts/texts.tsx";
import { stateOptions } from "../../parts/words.ts";
import { WebhookState } from "../webhooks/index.tsx";

type Webhook = Schemas["WebhookResponse"];
type Delivery = Schemas["DeliveryResponse"];

export default function WebhookPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  return <Loaded read={useRead<Webhook>(`/webhooks/${id}`)}>{(webhook) => <Detail webhook={webhook} />}</Loaded>;
}

function Detail({ webhook }: { webhook: Webhook }) {
  const navigate = useNavigate();
  const test = useWrite(() => send("POST", `/webhooks/${webhook.id}/test`, {}), { done: () => t("A test event is on its way") });
  const toggle = useWrite(() => send("PATCH", `/webhooks/${webhook.id}`, { is_active: !webhook.is_active }), { done: () => t("Saved") });
  const remove = useWrite(() => send("DELETE", `/webhooks/${webhook.id}`), { done: () => t("Webhook deleted"), onDone: () => void navigate({ to: "/webhooks" }) });
  return (
    <Page
      title={webhook.url}
      lead={<>{webhook.event_types.join(", ")} · <WebhookState webhook={webhook} /></>}
      actions={
        <>
          <Button loading={test.isPending} onClick={() => test.mutate(undefined)}>{t("Send a test")}</Button>
          <Button variant="default" loading={toggle.isPending} onClick={() => toggle.mutate(undefined)}>{webhook.is_active ? t("Switch off") : t("Switch on")}</Button>
          <ConfirmButton variant="default" label={t("Delete")} title={t("Delete this webhook?")} text={t("Nothing more is sent to its address, and its deliveries are forgotten.")} onConfirm={() => remove.mutateAsync(undefined)} />
        </>
      }
    >
      <List<Delivery>
        title={t("Deliveries")}
        path={`/webhooks/${webhook.id}/deliveries`}
        filters={[{ kind: "select", name: "state", label: t("State"), options: stateOptions("pending", "delivered", "failed") }]}
        columns={[
          { key: "at", label: t("When"), text: (row) => row.created_at, render: (row) => <span className="nowrap">{moment(row.created_at)}</span> },
          { key: "type", label: t("Event"), text: (row) => row.event_type, render: (row) => row.event_type },
          { key: "state", label: t("State"), text: (row) => row.state, render: (row) => <State state={row.state} /> },
          { key: "answer", label: t("Answer"), text: (row) => row.status_code ?? row.error, render: (row) => <div className="clip">{row.status_code ?? row.error ?? ""}</div> },
          { key: "attempts", label: t("Attempts"), isNumber: true, text: (row) => row.attempts, render: (row) => row.attempts },
          { key: "again", label: t("Again"), isAction: true, render: (row) => <Redeliver delivery={row} /> },
        ]}
        empty={{ title: t("Nothing was delivered yet"), text: t("Send a test, or wait for the next event of these types.") }}
      />
    </Page>
  );
}

function Redeliver({ delivery }: { delivery: Delivery }) {
  const again = useWrite(() => send("POST", `/webhooks/${delivery.webhook_id}/deliveries/${delivery.id}/redeliver`, {}), { done: () => t("Sent again") });
  return delivery.state === "pending" ? null : <Button size="compact-xs" variant="default" loading={again.isPending} onClick={() => again.mutate(undefined)}>{t("Send again")}</Button>;
}
