// Runs the steps of conformance cases with the TypeScript client: one JSON object a line in, one out.
import { createInterface } from "node:readline";
import { ApiError, createStockbuddy, etagOf, StockbuddyError } from "../typescript/dist/index.js";
import { sign, verify } from "../typescript/dist/webhooks.js";

let client;
let values = {};
let retries = [];
let challenge;

const camelCase = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const on = (step) => client[camelCase(step.resource)];
const listing = (step) => (step.path ? client.list(step.path, step.filters) : on(step).list(step.filters));

async function collect(iterable, count) {
  const found = [];
  for await (const one of iterable) {
    found.push(one);
    if (found.length === count) break;
  }
  return found;
}

const operations = {
  connect(step) {
    const kinds = {
      api_key: ([apiKey]) => ({ apiKey }),
      client: ([clientId, clientSecret]) => ({ clientId, clientSecret }),
      session: ([accessToken, refreshToken]) => ({ accessToken, refreshToken }),
    };
    const [given] = Object.entries(step.credentials ?? {});
    client = createStockbuddy(step.url, {
      ...(given ? { credentials: kinds[given[0]](given[1]) } : {}),
      timeoutSeconds: step.timeout ?? 30,
      onRetry: (retry) => retries.push(retry.delaySeconds),
    });
  },
  login: (step) => client.login(step.username, step.password),
  complete_login: (step) => client.completeLogin(challenge, step.code),
  logout: () => client.logout(),
  create: (step) => on(step).create(step.body, step.key ? { idempotencyKey: step.key } : {}),
  get: (step) => on(step).get(step.id),
  update: (step) => on(step).update(step.target, step.changes),
  delete: (step) => on(step).delete(step.target),
  action: (step) => on(step).action(step.target, step.name, step.body),
  request: (step) => client.request(step.method, step.path, { body: step.body, query: step.query }),
  items: (step) => collect(listing(step), step.count),
  pages: async (step) => (await collect(listing(step).pages())).map((page) => page.items.length),
  total: (step) => listing(step).total(),
  async events(step) {
    const stream = client.events.stream({ after: step.after, types: step.types ?? [] });
    const events = await collect(stream, step.count);
    return { types: events.map((event) => event.type), last: events.at(-1).data, cursor: stream.cursor };
  },
  sign: (step) => sign(step.id, step.body, step.secret, new Date(Date.now() - 1000 * (step.seconds_ago ?? 0))),
  verify: (step) => verify(step.headers, step.body, step.secrets),
  together: (step) => Promise.all(Array.from({ length: step.times }, () => operations[step.step.op](step.step))),
};

function resolved(part) {
  if (Array.isArray(part)) return part.map(resolved);
  if (typeof part === "object" && part !== null) {
    return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, resolved(value)]));
  }
  if (typeof part !== "string" || !part.startsWith("$")) return part;
  const [name, ...path] = part.slice(1).split(".");
  return path.reduce((value, field) => value[field], values[name]);
}

function describe(error) {
  const parents = [];
  for (let kind = error.constructor; kind?.name; kind = Object.getPrototypeOf(kind)) parents.push(kind.name);
  const described = { class: parents[0], parents };
  if (!(error instanceof ApiError)) return described;
  const { status, code, request_id, shortages, errors, current, head, products, state, allowed } = error;
  return { ...described, status, code, request_id, shortages, errors, current, head, products, state, allowed };
}

function markFloats(value) {
  if (Array.isArray(value)) return value.map(markFloats);
  if (typeof value === "number" && !Number.isInteger(value)) return { float: value };
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, name === "delays" ? one : markFloats(one)]));
}

async function run(step) {
  retries = [];
  try {
    const value = await operations[step.op](resolved(step));
    if (step.as) values[step.as] = value;
    return { value: value ?? null, etag: etagOf(value) ?? null, retries: retries.length, delays: retries };
  } catch (error) {
    if (!(error instanceof StockbuddyError)) throw error;
    challenge = error.challenge ?? challenge;
    return { error: describe(error), retries: retries.length, delays: retries };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line);
  if (step.op === "reset") values = {};
  const result = step.op === "reset" ? {} : await run(step);
  process.stdout.write(`${JSON.stringify(markFloats(result))}\n`);
}
