/** A message about a change, with a button that takes it back. */
import { useState } from "react";
import { Button, Group } from "@mantine/core";
import { messageOf } from "./api.ts";
import { t } from "./i18n.ts";
import { queries } from "./queries.ts";
import { SESSION_KEY } from "./session.tsx";

export function UndoMessage({ message, undo, onDone }: { message: string; undo: () => Promise<unknown>; onDone: () => void }) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      await undo();
      void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== SESSION_KEY[0] });
      onDone();
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };
  return (
    <Group justify="space-between" wrap="nowrap" gap="sm">
      <span role={problem ? "alert" : undefined} className={problem ? "bad" : ""}>{problem || message}</span>
      <Button size="compact-sm" variant="default" loading={isBusy} onClick={() => void run()}>{t("Undo")}</Button>
    </Group>
  );
}
