/** A new product, or the changes of one. */
import { type FormEvent, useState } from "react";
import { Alert, Button, Checkbox, Group, Paper, Stack, Textarea, TextInput } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { client, fieldErrors, messageOf, type Schemas } from "../../app/api.ts";
import { t } from "../../app/i18n.ts";
import { may } from "../../app/permissions.ts";
import { announce, useRead, useWrite } from "../../app/reads.ts";
import { useUser } from "../../app/session.tsx";
import { DecimalInput } from "../../parts/inputs.tsx";
import { Loaded, Page } from "../../parts/page.tsx";

type Product = Schemas["ProductResponse"];

export default function ProductFormPage() {
  const { id } = useParams({ strict: false }) as { id?: string };
  const read = useRead<Product>(id ? `/products/${id}` : undefined);
  if (!id) return <Form product={undefined} />;
  return <Loaded read={read}>{(product) => <Form key={product.id} product={product} />}</Loaded>;
}

function valuesOf(product: Product | undefined) {
  return {
    name: product?.name ?? "",
    sku: product?.sku ?? "",
    barcodes: product?.barcodes.join(", ") ?? "",
    unit_price: String(product?.unit_price ?? ""),
    cost_price: String(product?.cost_price ?? ""),
    category: product?.category ?? "",
    supplier: product?.supplier?.name ?? "",
    unit_of_measure: product?.unit_of_measure ?? "",
    low_stock_threshold: String(product?.low_stock_threshold ?? ""),
    quantity: "",
    description: product?.description ?? "",
    is_active: product?.is_active ?? true,
  };
}

type Values = ReturnType<typeof valuesOf>;

/** Empty texts are left out of a new product and clear a field of an existing one. */
function bodyOf(values: Values, product: Product | undefined): Record<string, unknown> {
  const before = valuesOf(product);
  const entries = Object.entries(values).filter(([name, value]) => (product ? value !== before[name as keyof Values] : value !== ""));
  const body: Record<string, unknown> = Object.fromEntries(entries.map(([name, value]) => [name, value === "" ? null : value]));
  if ("barcodes" in body) body.barcodes = values.barcodes.split(/[\s,;]+/).filter(Boolean);
  return body;
}

function Form({ product }: { product: Product | undefined }) {
  const user = useUser();
  const navigate = useNavigate();
  const [values, setValues] = useState(() => valuesOf(product));
  const save = useWrite(
    (body: Record<string, unknown>): Promise<Product> => (product ? client.products.update(product, body as never) : client.products.create(body as never)),
    {
      showsErrors: false,
      onDone: (saved) => {
        announce(t("{{sku}} saved", { sku: saved.sku }));
        void navigate({ to: `/products/${saved.id}` });
      },
    },
  );
  const problems = fieldErrors(save.error);
  const bind = (name: Exclude<keyof Values, "is_active">) => ({
    value: values[name],
    error: problems[name],
    onChange: (event: React.ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => setValues({ ...values, [name]: event.currentTarget.value }),
  });
  const decimal = (name: Exclude<keyof Values, "is_active">) => ({ value: values[name], error: problems[name], onChange: (value: string) => setValues({ ...values, [name]: value }) });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate(bodyOf(values, product));
  };
  return (
    <Page title={product ? t("Edit {{name}}", { name: product.name }) : t("New product")}>
      <form onSubmit={submit}>
        <Paper maw={760}>
          <Stack gap="sm">
            <TextInput label={t("Name")} required autoFocus {...bind("name")} />
            <Group grow align="flex-start">
              <TextInput label={t("SKU")} description={t("Your own number; unique")} required {...bind("sku")} />
              <TextInput label={t("Barcodes")} description={t("Scan them here, separated by spaces")} {...bind("barcodes")} onKeyDown={(event) => event.key === "Enter" && event.preventDefault()} />
            </Group>
            <Group grow align="flex-start">
              <DecimalInput label={t("Price")} required {...decimal("unit_price")} />
              {may(user, "cost.read") ? <DecimalInput label={t("Cost")} {...decimal("cost_price")} /> : null}
              <DecimalInput label={t("Low at")} {...decimal("low_stock_threshold")} />
            </Group>
            <Group grow align="flex-start">
              <TextInput label={t("Category")} description={t("A new name creates it")} {...bind("category")} />
              <TextInput label={t("Supplier")} description={t("A new name creates it")} {...bind("supplier")} />
              <TextInput label={t("Unit")} description={t("piece, kg, m …")} {...bind("unit_of_measure")} />
            </Group>
            {product ? null : <DecimalInput label={t("Opening stock")} description={t("In the default warehouse; later through movements")} maw={240} {...decimal("quantity")} />}
            <Textarea label={t("Description")} autosize={false} rows={3} {...bind("description")} />
            {product ? <Checkbox label={t("Sold at present")} checked={values.is_active} onChange={(event) => setValues({ ...values, is_active: event.currentTarget.checked })} /> : null}
            {save.error && !Object.keys(problems).length ? <Alert color="red" variant="outline" role="alert">{messageOf(save.error)}</Alert> : null}
            <Group>
              <Button type="submit" loading={save.isPending}>{product ? t("Save") : t("Create the product")}</Button>
              <Button variant="default" onClick={() => history.back()}>{t("Cancel")}</Button>
            </Group>
          </Stack>
        </Paper>
      </form>
    </Page>
  );
}
