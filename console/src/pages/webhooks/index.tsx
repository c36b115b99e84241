/** Webhooks: who is told about events. */
import { useState } from "react";
import { Alert, Code, Textarea, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { send, type Schemas } from "../../app/api.ts";
import { ago } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useWrite } from "../../app/reads.ts";
import { DialogButton, FormDialog } from "../../parts/dialog.tsx";
import { ListPage } from "../../parts/list.tsx";

type Webhook = Schemas["WebhookResponse"];

export default function WebhooksPage() {
  const [secret, setSecret] = useState("");
  const create = <DialogButton label={t("New webhook")}>{(close) => <WebhookDialog onClose={close} onCreated={setSecret} />}</DialogButton>;
  return (
    <>
      {secret ? <Alert mb="sm" color="teal" variant="outline" title={t("The secret for verifying signatures; it is not shown again")} withCloseButton closeButtonLabel={t("Close")} onClose={() => setSecret("")}><Code>{secret}</Code></Alert> : null}
      <ListPage<Webhook>
        title={t("Webhooks")}
        path="/webhooks"
        actions={create}
        columns={[
          { key: "url", label: t("Address"), text: (row) => row.url, render: (row) => <Link to={`/webhooks/${row.id}`}><div className="clip">{row.url}</div></Link> },
          { key: "types", label: t("Events"), text: (row) => row.event_types.join(" "), render: (row) => row.event_types.join(", ") },
          { key: "state", label: t("State"), text: (row) => String(row.is_active), render: (row) => <WebhookState webhook={row} /> },
        ]}
        empty={{ title: t("No webhooks yet"), text: t("A webhook tells another program about sales, stock and products the moment something happens, signed and repeated until it has arrived."), action: create }}
      />
    </>
  );
}

export function WebhookState({ webhook }: { webhook: Webhook }) {
  if (!webhook.is_active) return <span className="bad">{webhook.disabled_reason ?? t("switched off")}</span>;
  return webhook.failing_since ? <span className="warn">{t("failing for {{time}}", { time: ago(webhook.failing_since) })}</span> : <span className="good">{t("works")}</span>;
}

function WebhookDialog({ onClose, onCreated }: { onClose: () => void; onCreated: (secret: string) => void }) {
  const [url, setUrl] = useState("");
  const [types, setTypes] = useState("stock.*");
  const create = useWrite(() => send<Schemas["WebhookCreateResponse"]>("POST", "/webhooks", { url, event_types: types.split(/[\s,]+/).filter(Boolean) }), { showsErrors: false, onDone: (made) => onCreated(made.secret) });
  return (
    <FormDialog title={t("New webhook")} button={t("Create the webhook")} isDisabled={!url} onClose={onClose} onSubmit={() => create.mutateAsync(undefined)}>
      {(problems) => (
        <>
          <TextInput label={t("Address")} type="url" placeholder="https://" data-autofocus value={url} error={problems.url} onChange={(event) => setUrl(event.currentTarget.value)} />
          <Textarea label={t("Event types")} description={t("Separated by spaces; stock.* means all of the stock")} rows={3} value={types} error={problems.event_types} onChange={(event) => setTypes(event.currentTarget.value)} />
        </>
      )}
    </FormDialog>
  );
}
