/** Dialogs for records of a few fields: suppliers, customers, warehouses, categories and expenses. */
import { useState } from "react";
import { Checkbox, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { send } from "../app/api.ts";
import { t } from "../app/i18n.ts";
import { useWrite } from "../app/reads.ts";
import { ConfirmButton, DialogButton, FormDialog } from "./dialog.tsx";
import { DecimalInput } from "./inputs.tsx";

export interface Field {
  name: string;
  label: string;
  kind?: "text" | "email" | "date" | "decimal" | "area" | "flag" | "select";
  description?: string;
  isRequired?: boolean;
  options?: { value: string; label: string }[];
  /** Of a new record. */
  initial?: string | boolean;
}

type Value = string | boolean;
export interface StoredRecord {
  id: number;
  version: number;
}

interface RecordDialogProps {
  /** Of the resource, below `/api/v1`. */
  path: string;
  title: string;
  fields: Field[];
  /** Without it, a new record is created. */
  record?: StoredRecord;
  onClose: () => void;
  onSaved?: (saved: StoredRecord) => void;
}

function initialOf(field: Field, record: StoredRecord | undefined): Value {
  const value = record ? (record as unknown as Record<string, unknown>)[field.name] : field.initial;
  if (field.kind === "flag") return Boolean(value);
  return value === null || value === undefined ? "" : String(value);
}

export function RecordDialog({ path, title, fields, record, onClose, onSaved }: RecordDialogProps) {
  const [values, setValues] = useState<Record<string, Value>>(() => Object.fromEntries(fields.map((field) => [field.name, initialOf(field, record)])));
  const save = useWrite(
    () => {
      const given = Object.entries(values).filter(([name, value]) => (record ? value !== initialOf(fields.find((one) => one.name === name) as Field, record) : value !== ""));
      const body = Object.fromEntries(given.map(([name, value]) => [name, value === "" ? null : value]));
      return record ? send<StoredRecord>("PATCH", `${path}/${record.id}`, body, { headers: { "If-Match": `"${record.version}"` } }) : send<StoredRecord>("POST", path, body);
    },
    { showsErrors: false, done: () => t("Saved"), ...(onSaved ? { onDone: onSaved } : {}) },
  );
  const set = (name: string, value: Value): void => setValues({ ...values, [name]: value });
  return (
    <FormDialog title={title} button={record ? t("Save") : t("Create")} onClose={onClose} onSubmit={() => save.mutateAsync(undefined)}>
      {(problems) => fields.map((field, index) => <Input key={field.name} field={field} isFirst={index === 0} value={values[field.name] ?? ""} error={problems[field.name]} onChange={(value) => set(field.name, value)} />)}
    </FormDialog>
  );
}

function Input({ field, value, error, isFirst, onChange }: { field: Field; value: Value; error: string | undefined; isFirst: boolean; onChange: (value: Value) => void }) {
  const shared = { label: field.label, description: field.description, required: field.isRequired ?? false, error, ...(isFirst ? { "data-autofocus": true } : {}) };
  const text = String(value);
  if (field.kind === "flag") return <Checkbox label={field.label} description={field.description} checked={Boolean(value)} onChange={(event) => onChange(event.currentTarget.checked)} />;
  if (field.kind === "decimal") return <DecimalInput {...shared} value={text} onChange={onChange} />;
  if (field.kind === "select") return <NativeSelect {...shared} value={text} data={field.options ?? []} onChange={(event) => onChange(event.currentTarget.value)} />;
  if (field.kind === "area") return <Textarea {...shared} rows={3} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
  return <TextInput {...shared} type={field.kind ?? "text"} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
}

/** Edit and delete, at the end of a row. */
export function RecordActions({ path, title, fields, record, name }: { path: string; title: string; fields: Field[]; record: StoredRecord; name: string }) {
  const remove = useWrite(() => send("DELETE", `${path}/${record.id}`, undefined, { headers: { "If-Match": `"${record.version}"` } }), {
    showsErrors: false,
    done: () => t("{{name}} deleted", { name }),
  });
  return (
    <span className="nowrap">
      <DialogButton size="compact-xs" variant="default" label={t("Edit")}>{(close) => <RecordDialog path={path} title={title} fields={fields} record={record} onClose={close} />}</DialogButton>{" "}
      <ConfirmButton size="compact-xs" variant="subtle" label={t("Delete")} description={t("Delete {{name}}", { name })} title={t("Delete {{name}}?", { name })} text={t("This can't be undone. Documents of the past keep what they say.")} onConfirm={() => remove.mutateAsync(undefined)} />
    </span>
  );
}
