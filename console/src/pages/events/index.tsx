/** The events as they happen, with their payload. */
import { useEffect, useState } from "react";
import { Button, Group, Paper, Text, TextInput } from "@mantine/core";
import { t } from "../../app/i18n.ts";
import { type LiveEvent, useLiveState, watchEvents } from "../../app/live.ts";
import { moment } from "../../app/format.ts";
import { EmptyState, Page } from "../../parts/page.tsx";

const MAX_EVENTS = 200;

export default function EventsPage() {
  const [events, setEvents] = useState<LiveEvent[]>([]);
  const [filter, setFilter] = useState("");
  const [isPaused, setPaused] = useState(false);
  const { isConnected } = useLiveState();
  useEffect(() => {
    if (isPaused) return;
    let waiting: LiveEvent[] = [];
    const end = watchEvents((event) => waiting.push(event));
    const timer = setInterval(() => {
      if (!waiting.length) return;
      const arrived = waiting.reverse();
      waiting = [];
      setEvents((known) => [...arrived, ...known].slice(0, MAX_EVENTS));
    }, 250);
    return () => {
      end();
      clearInterval(timer);
    };
  }, [isPaused]);
  const shown = events.filter(({ event, data }) => event.includes(filter) || JSON.stringify(data).includes(filter));
  return (
    <Page title={t("Events")} lead={isConnected ? t("Live: new events appear at the top.") : t("Not connected; events appear again after the connection is back.")}
      actions={<><Button variant="default" onClick={() => setPaused(!isPaused)}>{isPaused ? t("Continue") : t("Pause")}</Button><Button variant="default" onClick={() => setEvents([])}>{t("Clear")}</Button></>}>
      <TextInput label={t("Filter")} placeholder="stock.sale" value={filter} onChange={(event) => setFilter(event.currentTarget.value)} maw={360} data-page-search />
      {shown.length === 0 ? (
        <EmptyState title={isPaused ? t("Paused") : t("Listening")} text={t("Sales, movements and changes of products appear here the moment they happen. Sell something in another window to see the first.")} />
      ) : (
        <Paper>
          {shown.map((event) => (
            <details key={event.id} style={{ borderBottom: "1px solid var(--console-line)", padding: "6px 0" }}>
              <summary style={{ cursor: "pointer" }}>
                <Group component="span" display="inline-flex" gap="sm"><Text span size="sm" fw={600}>{event.event}</Text><Text span size="sm" c="dimmed">{event.data.subject ?? ""}</Text><Text span size="sm" c="dimmed">{moment(event.data.time ?? null)}</Text></Group>
              </summary>
              <pre className="payload">{JSON.stringify(event.data, null, 2)}</pre>
            </details>
          ))}
        </Paper>
      )}
    </Page>
  );
}
