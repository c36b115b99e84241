// Sells and delivers with the TypeScript till, and ends each life of its page at a step that a seed selects.
//
// `node till_runner.mjs URL KEY SKU SEED KILLS`. A step is an event of the database, or a request that is about to be sent, was
// sent, or has its response. A page that ended never continues: its database keeps the transactions that were under way, and its
// requests reach the server. Prints the number of kills, the acknowledged references, and the sales of the till.
import "../typescript/node_modules/fake-indexeddb/auto/index.mjs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createStockbuddy } from "../typescript/dist/index.js";
import { Till } from "../typescript/dist/till.js";

const [url, apiKey, sku, seed, kills] = process.argv.slice(2);
const REFUSED_SHARE = 4;
const QUIET_TURNS = 50;
const forever = new Promise(() => {});
let state = Number(seed);
/** A pseudorandom integer from 1 to `limit`: a linear congruential generator, of which the high bits are used. */
const choose = (limit) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return 1 + Math.floor((state / 2 ** 32) * limit);
};

class Life {
  steps = 0;
  isOver = false;
  constructor(fatalStep) {
    this.fatalStep = fatalStep;
    this.end = new Promise((resolve) => {
      this.kill = () => {
        this.isOver = true;
        resolve("killed");
      };
    });
  }
  /** False if the page ends here. */
  step() {
    if (!this.isOver && ++this.steps === this.fatalStep) this.kill();
    return !this.isOver;
  }
  fetch = async (input, init) => {
    if (!this.step()) return forever;
    const response = globalThis.fetch(input, init);
    if (!this.step()) {
      response.catch(() => {});
      return forever;
    }
    try {
      const { status, headers } = await response;
      const body = await (await response).arrayBuffer();
      return this.step() ? new Response(body, { status, headers }) : forever;
    } catch (error) {
      if (this.step()) throw error;
      return forever;
    }
  };
}

let life = new Life(0);
let target = IDBRequest.prototype;
while (!Object.hasOwn(target, "dispatchEvent")) target = Object.getPrototypeOf(target);
const dispatch = target.dispatchEvent;
target.dispatchEvent = function (event) {
  return life.step() ? dispatch.call(this, event) : true;
};

// Node ≥ 24 has the locks of browsers, which end with their page.
if (globalThis.navigator?.locks) {
  const { locks } = navigator;
  const request = locks.request.bind(locks);
  locks.request = async (name, work) => {
    const own = life;
    const result = await request(name, () => Promise.race([work(), own.end]));
    return own.isOver ? forever : result;
  };
}

async function sellOne(acknowledged) {
  const client = createStockbuddy(url, { credentials: { apiKey }, timeoutSeconds: 120, fetch: life.fetch });
  const till = await Till.open(client);
  const isRefused = (await till.sales()).length % REFUSED_SHARE === REFUSED_SHARE - 1;
  const sale = await till.sell({ product: sku, quantity: isRefused ? "9000000" : "1" });
  acknowledged.push(sale.reference);
  const { stoppedBy } = await till.deliver();
  if (stoppedBy) throw stoppedBy;
  till.close();
}

// A page that ends while it makes its database leaves none.
(await Till.open(createStockbuddy(url))).close();
const acknowledged = [];
let killed = 0;
let length = 0;
while (killed < Number(kills)) {
  life = new Life(length ? choose(length) : 0);
  const result = await Promise.race([sellOne(acknowledged), life.end]);
  if (result === "killed") {
    killed++;
    for (let turn = 0; turn < QUIET_TURNS; turn++) await nextTurn();
  } else {
    length ||= life.steps;
  }
}
life = new Life(0);
const till = await Till.open(createStockbuddy(url, { credentials: { apiKey } }));
const { stoppedBy } = await till.deliver();
if (stoppedBy) throw stoppedBy;
// Requests of ended pages keep Node alive; an exit before a pipe has taken everything cuts it off.
const result = JSON.stringify({ kills: killed, acknowledged, sales: await till.sales() });
process.stdout.write(`${result}\n`, () => process.exit(0));
