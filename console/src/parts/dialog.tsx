/** A dialog with a form: its errors stand beside their fields or above the buttons. */
import { type ReactNode, useState } from "react";
import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { invalidFields, messageOf } from "../app/api.ts";
import { t } from "../app/i18n.ts";
import { useSubmission } from "./submission.ts";

interface DialogProps {
  title: string;
  button: string;
  onClose: () => void;
  /** Closes the dialog when it resolves. */
  onSubmit: () => Promise<unknown>;
  isDanger?: boolean;
  isDisabled?: boolean;
  size?: string;
  children: ReactNode | ((errors: Record<string, string>) => ReactNode);
}

export function FormDialog(props: DialogProps) {
  const { submit, isBusy, error, fields } = useSubmission(async () => {
    await props.onSubmit();
    props.onClose();
  });
  const invalid = invalidFields(error);
  return (
    <Modal opened onClose={props.onClose} title={props.title} size={props.size ?? "md"}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          {typeof props.children === "function" ? props.children(fields) : props.children}
          {error ? (
            <Alert color="red" variant="outline" role="alert">
              {invalid.length ? invalid.map(({ field, label, message }) => <div key={field}>{`${label}: ${message}`}</div>) : messageOf(error)}
            </Alert>
          ) : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>{t("Cancel")}</Button>
            <Button type="submit" loading={isBusy} disabled={props.isDisabled ?? false} color={props.isDanger ? "red.9" : undefined}>{props.button}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

interface ConfirmProps {
  label: string;
  /** The question. */
  title: string;
  text: string;
  variant?: string;
  size?: string;
  /** The name of the button, where its label needs its row to be understood. */
  description?: string;
  onConfirm: () => Promise<unknown>;
}

/** A button for what can't be undone: it asks first. */
export function ConfirmButton({ label, title, text, onConfirm, ...button }: ConfirmProps) {
  return (
    <DialogButton label={label} {...button}>
      {(close) => (
        <FormDialog title={title} button={label} isDanger onClose={close} onSubmit={onConfirm}>
          <Text size="sm">{text}</Text>
        </FormDialog>
      )}
    </DialogButton>
  );
}

/** A button that opens a dialog. */
export function DialogButton(props: { label: string; variant?: string; size?: string; isDisabled?: boolean; description?: string; children: (close: () => void) => ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button variant={props.variant ?? "filled"} size={props.size ?? "sm"} disabled={props.isDisabled ?? false} aria-label={props.description} onClick={() => setOpen(true)}>{props.label}</Button>
      {isOpen ? props.children(() => setOpen(false)) : null}
    </>
  );
}
