/** One customer with their sales. */
import { Link, useParams } from "@tanstack/react-router";
import type { Schemas } from "../../app/api.ts";
import { moment, money } from "../../app/format.ts";
import { t } from "../../app/i18n.ts";
import { useRead } from "../../app/reads.ts";
import { List } from "../../parts/list.tsx";
import { Loaded, Page, Section } from "../../parts/page.tsx";
import { RecordActions } from "../../parts/record.tsx";
import { Definitions, State } from "../../parts/texts.tsx";
import { CUSTOMER_FIELDS } from "../customers/fields.ts";

type Customer = Schemas["CustomerResponse"];

export default function CustomerPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  return <Loaded read={useRead<Customer>(`/customers/${id}`)}>{(customer) => <Detail customer={customer} />}</Loaded>;
}

function Detail({ customer }: { customer: Customer }) {
  return (
    <Page title={customer.name} actions={<RecordActions path="/customers" title={t("Edit customer")} fields={CUSTOMER_FIELDS} record={customer} name={customer.name} />}>
      <Section title={t("Contact")}>
        <Definitions items={[[t("E-mail"), customer.email ? <a href={`mailto:${customer.email}`}>{customer.email}</a> : null], [t("Phone"), customer.phone], [t("Address"), customer.address], [t("Notes"), customer.notes], [t("Since"), moment(customer.created_at)]]} />
      </Section>
      <List<Schemas["SaleResponse"]>
        title={t("Purchases")}
        path={`/customers/${customer.id}/sales`}
        columns={[
          { key: "number", label: t("Sale"), text: (row) => row.number, render: (row) => <Link to={`/sales/${row.id}`} className="nowrap">{row.number}</Link> },
          { key: "at", label: t("When"), text: (row) => row.occurred_at, render: (row) => <span className="nowrap">{moment(row.occurred_at)}</span> },
          { key: "what", label: t("Products"), isWideOnly: true, text: (row) => row.lines.map((line) => line.sku).join(" "), render: (row) => <div className="clip">{row.lines.map((line) => line.name).join(", ")}</div> },
          { key: "state", label: t("State"), text: (row) => row.status, render: (row) => <State state={row.status} /> },
          { key: "total", label: t("Total"), isNumber: true, text: (row) => row.total, render: (row) => money(row.total) },
        ]}
        empty={{ title: t("No purchases yet"), text: t("Choose this customer at the till, and the sale appears here.") }}
      />
    </Page>
  );
}
