// Lists products, sells one with a click, and shows levels as they change.
//
// Build the client (`make clients`), copy clients/typescript/dist/bundle.min.js to client.js next to this file, and serve the
// folder from an origin that CORS_ORIGINS of the server allows.
import { createStockbuddy, errors, sum } from "@stockbuddy/client";

const server = new URLSearchParams(location.search).get("server") ?? location.origin;
const client = createStockbuddy(server);
const find = (selector) => document.querySelector(selector);
const say = (text) => (find("#message").textContent = text);

find("#login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  try {
    const user = await client.login(form.get("username"), form.get("password"));
    say(`Logged in as ${user.username}.`);
  } catch (error) {
    say(error instanceof errors.InvalidCredentials ? "The user name or the password is wrong." : error.message);
    return;
  }
  find("#login").hidden = true;
  find("#search").hidden = find("#products").hidden = false;
  await show("");
  follow();
});

find("#search").addEventListener("submit", async (event) => {
  event.preventDefault();
  await show(new FormData(event.target).get("words"));
});

/** One page: people refine the search rather than read on. */
async function show(search) {
  const { value: page } = await client.products.list({ search, page_size: 20, sort_by: "name_asc" }).pages().next();
  find("#products tbody").replaceChildren(...page.items.map(toRow));
}

function toRow(product) {
  const row = document.createElement("tr");
  row.dataset.id = product.id;
  // Texts of users are set as text, never as HTML.
  for (const text of [product.name, product.unit_price, product.available]) row.insertCell().textContent = text;
  const button = document.createElement("button");
  button.textContent = "Sell one";
  button.addEventListener("click", () => sell(product));
  row.insertCell().append(button);
  return row;
}

async function sell(product) {
  try {
    const sale = await client.sales.create({ product: product.id, quantity: 1 });
    say(`Sale ${sale.number}: ${sale.total}`);
  } catch (error) {
    say(error instanceof errors.InsufficientStock ? `${product.name} is sold out.` : error.message);
  }
}

/** The stream resumes by itself after an interruption. */
async function follow() {
  for await (const event of client.events.stream({ types: ["stock.level.changed"] })) {
    const row = find(`tr[data-id="${event.data.product_id}"]`);
    if (row) row.cells[2].textContent = sum(event.data.on_hand, `-${event.data.reserved}`);
  }
}
