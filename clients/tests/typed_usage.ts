// What a program's compiler knows of the client; test_packages.py compiles it in strict mode.
import { createStockbuddy, type Exact } from "../typescript/dist/index.js";
import { verify } from "../typescript/dist/webhooks.js";

export async function use(): Promise<Exact> {
  const client = createStockbuddy("http://127.0.0.1:8000");
  const mug = await client.products.create({ name: "Mug", sku: "MUG", unit_price: "4.50" });
  // @ts-expect-error: the field's name is misspelt
  await client.products.update(mug, { unit_prise: "4.90" });
  // @ts-expect-error: money is no floating-point number
  const wrong: number = mug.unit_price;
  for await (const sale of client.sales.list({ status: "completed" })) console.log(sale.number, wrong);
  const event = verify({}, "", []);
  if (event.type === "stock.level.changed") return event.data.on_hand;
  return mug.unit_price;
}
