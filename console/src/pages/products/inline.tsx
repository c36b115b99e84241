/** A number of a product that is edited in place. The write names the version that was shown; if another user changed
 * the product meanwhile, both values are shown and the person chooses. */
import { useRef, useState } from "react";
import { Button, Group, Modal, Stack, Table, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { client, errors } from "../../app/api.ts";
import { editable, money, parseDecimal, quantity } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useWrite } from "../../app/reads.ts";
import type { ProductItem } from "../../parts/inputs.tsx";

type Field = "unit_price" | "low_stock_threshold";
interface Conflict {
  mine: string;
  current: ProductItem;
}

export function InlineDecimal(props: { product: ProductItem; field: Field; label: string; shown: string }) {
  const { product, field } = props;
  const [text, setText] = useState<string | null>(null);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const queries = useQueryClient();
  const button = useRef<HTMLButtonElement>(null);
  const write = useWrite(
    ({ value, version }: { value: string; version: number }) => client.products.update(product.id, { [field]: value } as never, { ifMatch: `"${version}"` }),
    { done: () => t("{{sku}} saved", { sku: product.sku }), showsErrors: false },
  );
  const save = async (value: string, version: number): Promise<void> => {
    try {
      await write.mutateAsync({ value, version });
    } catch (error) {
      if (!(error instanceof errors.PreconditionFailed)) throw error;
      setConflict({ mine: value, current: error.current as ProductItem });
      void queries.invalidateQueries({ queryKey: ["products"] });
    }
  };
  const submit = (): void => {
    const value = parseDecimal(text ?? "");
    setText(null);
    requestAnimationFrame(() => button.current?.focus());
    if (value !== undefined && value !== parseDecimal(editable(product[field]))) void save(value, product.version).catch(() => undefined);
  };
  const onKey = (event: React.KeyboardEvent): void => {
    if (event.key === "Enter") submit();
    else if (event.key === "Escape") {
      setText(null);
      requestAnimationFrame(() => button.current?.focus());
    }
  };
  if (text !== null) {
    // biome-ignore lint/a11y/noAutofocus: the person has just opened this input
    return <input className="inline-input" inputMode="decimal" aria-label={props.label} autoFocus value={text} onFocus={(event) => event.currentTarget.select()} onChange={(event) => setText(event.currentTarget.value)} onBlur={submit} onKeyDown={onKey} />;
  }
  return (
    <>
      <button ref={button} type="button" className="inline-edit" aria-label={`${props.label}: ${props.shown}. ${t("Edit")}`} onClick={() => setText(editable(product[field]))}>
        {write.isPending ? t("saving…") : props.shown}
      </button>
      {write.error && !(write.error instanceof errors.PreconditionFailed) ? <div className="bad" role="alert">{write.error.message}</div> : null}
      {conflict ? <ConflictDialog conflict={conflict} field={field} onClose={() => setConflict(null)} onKeep={() => save(conflict.mine, conflict.current.version)} /> : null}
    </>
  );
}

function ConflictDialog(props: { conflict: Conflict; field: Field; onClose: () => void; onKeep: () => Promise<void> }) {
  const { mine, current } = props.conflict;
  const show = (value: string): string => (props.field === "unit_price" ? money(value) : quantity(value));
  return (
    <Modal opened onClose={props.onClose} title={t("{{sku}} was changed meanwhile", { sku: current.sku })}>
      <Stack>
        <Text size="sm">{t("Another user saved this product after you opened it. Which value should stay?")}</Text>
        <Table>
          <Table.Tbody>
            <Table.Tr><Table.Th>{t("Theirs")}</Table.Th><Table.Td className="number strong">{show(String(current[props.field]))}</Table.Td></Table.Tr>
            <Table.Tr><Table.Th>{t("Yours")}</Table.Th><Table.Td className="number strong">{show(mine)}</Table.Td></Table.Tr>
          </Table.Tbody>
        </Table>
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>{t("Keep theirs")}</Button>
          <Button onClick={() => { props.onClose(); void props.onKeep().catch(() => undefined); }}>{t("Save mine")}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
