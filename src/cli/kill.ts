import { setTimeout as sleep } from "node:timers/promises";
import { noteCharsMax } from "../adapters/system/control-protocol.ts";
import type { OrderView } from "../engine/api/views.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";
import { askService, type ControlPlace, controlHelp, controlOptions } from "./control.ts";
import { orderText } from "./status.ts";

const provedWaitMs = 30_000;
const lookAgainMs = 250;

const help = `usage: pitboss kill [NOTE] [--state DIR | --config FILE] [--no-wait] [--json]
Stops all trading at once, cancels every open order and shows what became of each. Works when the chat does not.
${controlHelp}
  --no-wait      do not wait (up to ${provedWaitMs / 1000} s) until no order is open
exit code: 0 killed and no order left, 1 killed but orders are still open, 3 not running
example: pitboss kill "wrong prices" --state ./var/desk`;

/** The last that the service said of an order; one that it no longer lists is over. */
type Fate = OrderView & { readonly listed: boolean };
type Fates = { readonly orders: readonly Fate[]; readonly allGone: boolean };

/** `pitboss kill`: the local second channel. Trading is stopped when its first line is printed. Resolves to the exit code. */
export async function killCommand(args: readonly string[]): Promise<number> {
  const options = { ...controlOptions, "no-wait": { type: "boolean" } } as const;
  const read = readArguments(args, options, help, 1);
  if (!read.ok) return read.exitCode;
  const note = read.rest[0] ?? "";
  if (note.length > noteCharsMax) {
    process.stderr.write(`the note has ${note.length} characters: write at most ${noteCharsMax}\n`);
    return exitWrongUse;
  }
  // Nothing is asked before the kill: a status that hangs must not delay it.
  const reply = await askService(read.values, { v: 1, do: "kill", note });
  if (!reply.ok) return reply.exitCode;
  const openOrders = Number(reply.answer["openOrders"]);
  const isJson = read.values.json;
  if (!isJson) {
    process.stdout.write(
      `KILLED: trading is stopped, ${openOrders} open orders are being cancelled\n`,
    );
  }
  if (read.values["no-wait"] || openOrders === 0) {
    if (isJson) process.stdout.write(`${JSON.stringify(reply.answer)}\n`);
    return exitDone;
  }
  const told = (reply.answer["orders"] ?? []) as readonly OrderView[];
  const fates = await waitForFates({ ...read.values, json: false }, told);
  process.stdout.write(
    isJson ? `${JSON.stringify({ ...reply.answer, ...fates })}\n` : renderFates(fates),
  );
  return fates.allGone ? exitDone : exitFailed;
}

/** `told`: the orders that were open at the kill, by the service's own answer to it. */
async function waitForFates(place: ControlPlace, told: readonly OrderView[]): Promise<Fates> {
  const orders = new Map<string, Fate>(
    told.map((order) => [order.clientOid, { ...order, listed: false }]),
  );
  const deadlineMs = performance.now() + provedWaitMs;
  for (;;) {
    const reply = await askService(place, { v: 1, do: "status" });
    if (!reply.ok) return { orders: [...orders.values()], allGone: false };
    const now = (reply.answer["orders"] ?? []) as readonly OrderView[];
    for (const [id, order] of orders) orders.set(id, { ...order, listed: false });
    for (const order of now) {
      if (isOpen(order) || orders.has(order.clientOid)) {
        orders.set(order.clientOid, { ...order, listed: true });
      }
    }
    const allGone = !now.some(isOpen);
    if (allGone || performance.now() >= deadlineMs)
      return { orders: [...orders.values()], allGone };
    await sleep(lookAgainMs);
  }
}

function renderFates({ orders, allGone }: Fates): string {
  const now = Date.now();
  const left = orders.filter((order) => order.listed && isOpen(order)).length;
  const verdict = allGone
    ? "no order is open any more; positions are kept"
    : `${left} still open after ${provedWaitMs / 1000} s: the service goes on cancelling; look with  pitboss status --verbose`;
  const lines = orders.map((order) =>
    orderText(order, now, order.listed || !isOpen(order) ? order.status : "over"),
  );
  return `${[...lines, verdict].join("\n")}\n`;
}

/** Whether an order may still be filled. */
export function isOpen(order: OrderView): boolean {
  return order.status !== "filled" && order.status !== "canceled" && order.status !== "rejected";
}
