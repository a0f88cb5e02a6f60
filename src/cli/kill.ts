import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { noteCharsMax } from "../adapters/system/control-protocol.ts";
import { killFileIn, killFileName } from "../adapters/system/kill-file.ts";
import type { KillReceipt, UnkeptKill } from "../engine/api/engine-api.ts";
import type { OrderView } from "../engine/api/views.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";
import {
  askQuietly,
  askService,
  type ControlPlace,
  controlHelp,
  controlOptions,
  explain,
  stateDirOf,
} from "./control.ts";
import { orderText } from "./status.ts";

const provedWaitMs = 30_000;
const lookAgainMs = 250;

const help = `usage: pitboss kill [NOTE] [--state DIR | --config FILE] [--no-wait] [--json]
Stops all trading at once, cancels every open order and shows what became of each. Works when the chat does not.
When no service answers it leaves a file called KILL in the state folder: the next start is killed. That file can be
made by hand, too (touch DIR/KILL); a running service obeys it within a second.
${controlHelp}
  --no-wait      do not wait (up to ${provedWaitMs / 1000} s) until no order is open
exit code: 0 killed and no order left, 1 killed but orders are still open (or not recorded), 3 not running
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
  const reply = await askQuietly(read.values, { v: 1, do: "kill", note });
  if (!reply.ok) {
    const message = `${reply.message}${leaveKillFile(read.values, reply.error, note)}`;
    explain(read.values, { error: reply.error, message });
    return reply.exitCode;
  }
  const openOrders = Number(reply.answer["openOrders"]);
  const isJson = read.values.json;
  const { unkept, survivesRestart } = reply.answer as Partial<KillReceipt>;
  const isUnkept = unkept !== undefined;
  if (!isJson) {
    process.stdout.write(
      `KILLED: trading is stopped, ${openOrders} open orders are being cancelled\n`,
    );
    if (unkept !== undefined) process.stdout.write(unkeptText(unkept, survivesRestart === true));
  }
  if (read.values["no-wait"] || openOrders === 0) {
    if (isJson) process.stdout.write(`${JSON.stringify(reply.answer)}\n`);
    return isUnkept ? exitFailed : exitDone;
  }
  const told = (reply.answer["orders"] ?? []) as readonly OrderView[];
  const fates = await waitForFates({ ...read.values, json: false }, told);
  process.stdout.write(
    isJson ? `${JSON.stringify({ ...reply.answer, ...fates })}\n` : renderFates(fates),
  );
  return fates.allGone && !isUnkept ? exitDone : exitFailed;
}

/**
 * A service that does not run, or does not answer, is killed at its next start, or as soon as it looks again. Returns
 * what to add to the message; a folder that is not there was mistyped and is not made.
 */
function leaveKillFile(place: ControlPlace, error: string, note: string): string {
  if (error !== "not_running" && error !== "no_answer") return "";
  const stateDir = stateDirOf(place);
  if (!existsSync(stateDir)) return "";
  const path = join(stateDir, killFileName);
  if (!killFileIn(stateDir).write(note)) {
    return `\n${path} could not be written: cancel open orders on the venue's website`;
  }
  return error === "no_answer"
    ? `\nwrote ${path}: the service kills itself as soon as it looks again, and its next start is killed\nif it hangs, end it; what rests at the venue is cancelled by the next start, or by you on the venue's website`
    : `\nwrote ${path}: the next start is killed and cancels every open order\nno service runs now: orders that rest at the venue stay there until it is started, or until you cancel them on the venue's website`;
}

/** What a kill is worth that the ledger did not take. */
function unkeptText(unkept: UnkeptKill, survivesRestart: boolean): string {
  const orders =
    unkept === "canceled"
      ? "the venue cancelled every open order"
      : "the venue did not confirm the cancels: run the kill again, or cancel on its website";
  const lasts = survivesRestart
    ? "the kill is kept in the file KILL, so the next start is killed"
    : "the kill does not survive a restart: repair the disk, restart, kill again";
  return `NOT RECORDED: the ledger cannot be written; ${orders}; ${lasts}\n`;
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
