/** The company's settings. */
import { type FormEvent, useState } from "react";
import { Alert, Button, Checkbox, Group, NativeSelect, Paper, Stack, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { errors, fieldErrors, messageOf, send, type Schemas } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { useRead, useWrite } from "../../app/reads.ts";
import { roleLabel, useRoles } from "../../app/roles.ts";
import { SESSION_KEY } from "../../app/session.tsx";
import { DecimalInput } from "../../parts/inputs.tsx";
import { Loaded, Page } from "../../parts/page.tsx";

type Settings = Schemas["SettingsResponse"];

export default function SettingsPage() {
  const read = useRead<Settings>("/system-settings");
  return <Page title={t("Settings")} lead={t("They apply to the whole company, at once.")}><Loaded read={read}>{(settings) => <Form key={settings.version} settings={settings} />}</Loaded></Page>;
}

function Form({ settings }: { settings: Settings }) {
  const queries = useQueryClient();
  const roles = useRoles();
  const [values, setValues] = useState({ ...settings, alert_emails: settings.alert_emails.join(", "), default_low_stock_threshold: String(settings.default_low_stock_threshold) });
  const save = useWrite(
    () => {
      const { updated_at, version, ...rest } = values;
      const body = { ...rest, alert_emails: values.alert_emails.split(/[\s,;]+/).filter(Boolean) };
      return send<Settings>("PATCH", "/system-settings", body, { headers: { "If-Match": `"${settings.version}"` } });
    },
    { showsErrors: false, done: () => t("Settings saved"), onDone: () => void queries.invalidateQueries({ queryKey: SESSION_KEY }) },
  );
  const problems = fieldErrors(save.error);
  const bind = (name: "company_name" | "currency" | "timezone" | "alert_emails") => ({ value: values[name], error: problems[name], onChange: (event: React.ChangeEvent<HTMLInputElement>) => setValues({ ...values, [name]: event.currentTarget.value }) });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate(undefined);
  };
  return (
    <form onSubmit={submit}>
      <Paper maw={640}>
        <Stack>
          <TextInput label={t("Company")} required {...bind("company_name")} />
          <Group grow align="flex-start">
            <TextInput label={t("Currency")} description={t("Three letters, as EUR")} required {...bind("currency")} />
            <TextInput label={t("Time zone")} description={t("Of the company's days, as Europe/Berlin")} required list="timezones" {...bind("timezone")} />
          </Group>
          <datalist id="timezones">{Intl.supportedValuesOf("timeZone").map((zone) => <option key={zone} value={zone} />)}</datalist>
          <DecimalInput label={t("Low at, where a product has no threshold of its own")} value={values.default_low_stock_threshold} error={problems.default_low_stock_threshold} onChange={(value) => setValues({ ...values, default_low_stock_threshold: value })} />
          <NativeSelect label={t("Stock below zero")} value={values.negative_stock} data={[{ value: "reject", label: t("Reject") }, { value: "allow", label: t("Allow, and mark the movement") }]} onChange={(event) => setValues({ ...values, negative_stock: event.currentTarget.value as Settings["negative_stock"] })} />
          <TextInput label={t("Addresses for alerts")} description={t("Separated by commas")} {...bind("alert_emails")} />
          <NativeSelect label={t("Role of people who register themselves")} value={values.registration_role} data={roles} onChange={(event) => setValues({ ...values, registration_role: event.currentTarget.value })} />
          <Checkbox.Group label={t("Roles that need a second factor")} description={t("Who has none sets one up at the next login")} value={values.second_factor_roles} onChange={(chosen) => setValues({ ...values, second_factor_roles: chosen })}>
            <Group mt={6}>{roles.map(({ value }) => <Checkbox key={value} value={value} label={roleLabel(value)} />)}</Group>
          </Checkbox.Group>
          <Checkbox label={t("People may register themselves")} checked={values.registration_open} onChange={(event) => setValues({ ...values, registration_open: event.currentTarget.checked })} />
          {save.error && !Object.keys(problems).length ? <Alert color="red" variant="outline" role="alert">{save.error instanceof errors.PreconditionFailed ? t("Another admin changed the settings meanwhile. Reload the page to see theirs.") : messageOf(save.error)}</Alert> : null}
          <Group><Button type="submit" loading={save.isPending}>{t("Save")}</Button></Group>
        </Stack>
      </Paper>
    </form>
  );
}
