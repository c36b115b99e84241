/** Moves stock of a product by hand: in, out, damaged, or a correction to a counted quantity. */
import { useState } from "react";
import { SegmentedControl, Text, TextInput } from "@mantine/core";
import { send, type Schemas } from "../app/api.ts";
import { quantity } from "../app/format.ts";
import { t } from "../app/i18n.ts";
import { may } from "../app/permissions.ts";
import { announce, useWarehouses, useWrite } from "../app/reads.ts";
import { useUser } from "../app/session.tsx";
import { FormDialog } from "./dialog.tsx";
import { DecimalInput, WarehouseSelect } from "./inputs.tsx";

type Kind = "in" | "purchase" | "out" | "damaged" | "count";

export function MovementDialog({ product, onClose }: { product: Schemas["ProductResponse"]; onClose: () => void }) {
  const user = useUser();
  const { standard } = useWarehouses();
  const [kind, setKind] = useState<Kind>("in");
  const [amount, setAmount] = useState("");
  const [cost, setCost] = useState("");
  const [notes, setNotes] = useState("");
  const [warehouse, setWarehouse] = useState("");
  const warehouseId = Number(warehouse || standard?.id);
  const onHand = product.stock.find((one) => one.warehouse_id === warehouseId)?.on_hand ?? "0";
  const post = useWrite(
    async (): Promise<{ id?: number; movement_type?: string; balance?: string; on_hand?: string }> => {
      const place = { product_id: product.id, warehouse_id: warehouseId };
      if (kind === "count") return send("PUT", "/stock-levels", { ...place, quantity: amount, expected_quantity: onHand, reason: notes || null });
      const more = cost && kind === "purchase" ? { unit_cost: cost } : {};
      return send("POST", "/stock-movements", { ...place, ...more, movement_type: kind, quantity: amount, notes: notes || null });
    },
    { showsErrors: false, onDone: (result) => announce(t("Posted. Balance: {{balance}}", { balance: quantity(result.balance ?? result.on_hand) }), result.movement_type ? { undo: () => send("POST", `/stock-movements/${result.id}/reverse`, {}) } : {}) },
  );
  return (
    <FormDialog title={t("Move stock of {{sku}}", { sku: product.sku })} button={post.isPending ? t("Posting…") : t("Post")} onClose={onClose} onSubmit={() => post.mutateAsync(undefined)} isDisabled={!amount || !warehouseId}>
      {(problems) => (
        <>
          <SegmentedControl
            fullWidth
            size="xs"
            aria-label={t("Kind")}
            value={kind}
            onChange={(value) => setKind(value as Kind)}
            data={[
              { value: "in", label: t("In") },
              { value: "purchase", label: t("Purchase") },
              { value: "out", label: t("Out") },
              { value: "damaged", label: t("Damaged") },
              { value: "count", label: t("Counted") },
            ]}
          />
          <WarehouseSelect value={String(warehouseId || "")} onChange={setWarehouse} />
          <DecimalInput label={kind === "count" ? t("Counted quantity") : t("Quantity")} required data-autofocus value={amount} error={problems.quantity} onChange={setAmount} />
          <Text size="sm" c="dimmed">{t("On hand in this warehouse: {{count}}", { count: quantity(onHand) })}</Text>
          {kind === "purchase" && may(user, "cost.read") ? <DecimalInput label={t("Unit cost")} value={cost} onChange={setCost} error={problems.unit_cost} /> : null}
          <TextInput label={kind === "count" ? t("Reason") : t("Notes")} value={notes} onChange={(event) => setNotes(event.currentTarget.value)} error={problems.reason ?? problems.notes} />
        </>
      )}
    </FormDialog>
  );
}
