/** Webhook deliveries: `verify` those that arrive, `sign` some for tests. Requires the package standardwebhooks. */
import { Webhook } from "standardwebhooks";
import type { EventData } from "./eventTypes.js";
import { decode } from "./exact.js";
import { StockbuddyError } from "./problems.js";

/** An event as a webhook delivers it; `type` determines the type of its `data`. */
export type WebhookEvent = { [Type in keyof EventData]: { id: string; type: Type; timestamp: string; subject: string | null; data: EventData[Type] } }[keyof EventData];

/** The headers of Node's `request.headers`, of `fetch`, or any others by name. */
export type HeaderSource = Headers | Record<string, string | string[] | undefined>;

/** The delivery is not from the server, was changed, or is older than five minutes. Respond with 401. */
export class InvalidSignature extends StockbuddyError {}

/**
 * The event of a delivery that one of the secrets signed. `rawBody`: the body as received; `secrets`: the webhook's, and after
 * a rotation the earlier one as well. Deliveries repeat: handle each `id` once. Throws InvalidSignature.
 */
export function verify(headers: HeaderSource, rawBody: string | Uint8Array, secrets: readonly string[]): WebhookEvent {
  if (!secrets.length) throw new RangeError("at least one secret is required");
  const verifiers = secrets.map((secret) => new Webhook(secret));
  const pairs = headers instanceof Headers ? [...headers] : Object.entries(headers);
  const given = Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), String(value)]));
  let failure: unknown;
  for (const verifier of verifiers) {
    try {
      const body = typeof rawBody === "string" ? rawBody : new TextDecoder("utf-8", { fatal: true }).decode(rawBody);
      verifier.verify(body, given, { jsonParse: false });
      return decode(body) as WebhookEvent;
    } catch (error) {
      failure = error;
    }
  }
  throw new InvalidSignature(String(failure), { cause: failure });
}

/** The headers that the server would send with this body, now or at another time, to test a receiver. */
export function sign(messageId: string, rawBody: string, secret: string, at: Date = new Date()): Record<string, string> {
  return {
    "webhook-id": messageId,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign(messageId, at, rawBody),
  };
}
