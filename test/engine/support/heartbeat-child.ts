// Child process of the heartbeat test: the service's own parts on a venue in another process. It places an order that
// rests, then obeys its parent: block the loop for real, then place the next one.
import { loadConfig } from "../../../config/load.ts";
import { composeService } from "../../../src/compose.ts";
import { priceOf, sharesOf } from "./levels.ts";
import { standing } from "./standing-world.ts";

const actor = { userId: 1, chatId: 1 };
const service = await composeService(loadConfig(process.argv[2] ?? "", "service"), {
  faultPoints: false,
});
const { engine } = service;
const say = (message: Readonly<Record<string, unknown>>) => process.send?.(message);

async function breath(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 5);
  });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await breath();
}

async function card(limit: string) {
  const quoted = await engine.quoteTrade(actor, `q${limit}`, {
    conditionId: standing.conditionId,
    outcome: 0,
    side: "buy",
    amount: { unit: "shares", value: sharesOf("20") },
    limit: priceOf(limit),
    timeInForce: null,
    goodForMs: null,
    slippagePpm: null,
  });
  return quoted.ok ? quoted.value.nonce : null;
}

/**
 * Presses until it works, as an impatient trader does; every refusal on the way. A card that is refused without any
 * input or output resolves within the turn: asking again at once would keep the loop from ever reading the book.
 */
async function place(limit: string): Promise<{ readonly oid: string; readonly refused: string[] }> {
  const refused: string[] = [];
  for (let attempt = 0; ; attempt++) {
    const nonce = await card(limit);
    if (nonce === null) {
      await breath();
      continue;
    }
    const outcome = await engine.confirm(actor, `c${limit}:${attempt}`, nonce);
    const [order] = outcome.kind === "accepted" ? outcome.orders : [];
    if (order !== undefined) return { oid: order.clientOid, refused };
    if (outcome.kind === "refused") refused.push(outcome.denial.code);
    await breath();
  }
}

engine.start();
await until(() => engine.state.ready && engine.isConnected);
const first = await place("0.44");
await until(() => engine.order(first.oid)?.status === "live");
const early = await card("0.43");
say({ resting: true });

process.on("message", (message: { readonly block?: number }) => {
  const end = performance.now() + (message.block ?? 0);
  while (performance.now() < end);
  void afterBlock();
});

async function afterBlock(): Promise<void> {
  const outcome = await engine.confirm(actor, "early", early ?? "");
  const second = await place("0.42");
  await until(() => engine.order(first.oid)?.status === "canceled");
  await until(() => engine.order(second.oid)?.status === "live");
  const early2 = outcome.kind === "refused" ? outcome.denial.code : outcome.kind;
  say({ early: early2, told: engine.noticesAfter(0).map((one) => one.body.kind) });
}
