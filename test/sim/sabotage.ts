import type { FillReport } from "../../src/engine/domain/fill.ts";
import type { Order } from "../../src/engine/domain/order.ts";
import type { LogRecord } from "../../src/engine/ports/durable-log.ts";
import type { PostOutcome } from "../../src/engine/protocol/venue-report.ts";
import type { Engine } from "../../src/engine/runtime/engine.ts";
import type { Fact } from "../../src/engine/state/fact.ts";
import type { EngineProcess } from "./engine-process.ts";

/** Puts another function in the place of a method of a port. */
export function patch<T extends object, K extends keyof T>(object: T, name: K, by: T[K]): void {
  Object.defineProperty(object, name, { value: by, configurable: true, writable: true });
}

/** Changes what a post led to. */
export function outcomes(
  process: EngineProcess,
  change: (outcome: PostOutcome) => PostOutcome | Promise<PostOutcome>,
): void {
  const { venue } = process;
  const post = venue.post.bind(venue);
  patch(venue, "post", async (order, gate) => await change(await post(order, gate)));
}

/** Changes what the venue says about fills, on the stream and in the lists. */
export function fillReports(
  process: EngineProcess,
  change: (fill: FillReport) => FillReport,
): void {
  const { venue } = process;
  const hear = venue.hear.bind(venue);
  const fills = venue.fills.bind(venue);
  patch(venue, "hear", (event) =>
    hear(event.kind === "fill.reported" ? { ...event, fill: change(event.fill) } : event),
  );
  patch(venue, "fills", async (afterS) => {
    const read = await fills(afterS);
    return read.ok ? { ok: true, value: read.value.map(change) } : read;
  });
}

/** Looks at every input just before its step. */
export function beforeStep(
  engine: Engine,
  look: (input: Parameters<Engine["stepper"]["run"]>[0]) => void,
) {
  const { stepper } = engine;
  const run = stepper.run.bind(stepper);
  patch(stepper, "run", (input, correlationId) => {
    look(input);
    return run(input, correlationId);
  });
}

export function changeOrder(engine: Engine, clientOid: string, change: Partial<Order>): void {
  const order = engine.state.orders.get(clientOid);
  if (order !== undefined) engine.state.orders.set(clientOid, { ...order, ...change });
}

/** The row of a kill, as if it had never been one. */
export function withoutKill(record: LogRecord): LogRecord {
  if (record.kind !== "trading.killed") return record;
  const fact: Fact = { kind: "kill.reported", settled: true };
  return { ...record, kind: fact.kind, body: JSON.stringify(fact) };
}

/** The row of a plan whose orders nobody wrote his name on. */
export function withoutUser(record: LogRecord): LogRecord {
  if (record.kind !== "plan.approved") return record;
  const fact = JSON.parse(record.body) as Extract<Fact, { kind: "plan.approved" }>;
  const orders = fact.orders.map((order) => ({ ...order, userId: 0 }));
  return { ...record, body: JSON.stringify({ ...fact, orders }) };
}
