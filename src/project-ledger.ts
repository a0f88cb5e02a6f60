// What the ledger says, in the tables of the store. The ledger is folded from its start by the engine's own code; what the
// tables show already is not written again.
import { MarketNumbers } from "./adapters/storage/market-numbers.ts";
import type { Store } from "./adapters/storage/store.ts";
import type {
  CommandRow,
  ExecutionAuditRow,
  FillRow,
  NoticeRow,
  OrderRow,
  PositionRow,
} from "./adapters/storage/tables.ts";
import { openDeskPosition, writeDesk } from "./adapters/storage/write-desk.ts";
import type { Fill } from "./engine/domain/fill.ts";
import type { Order } from "./engine/domain/order.ts";
import type { DurableLog, LogRecord } from "./engine/ports/durable-log.ts";
import { applyFact } from "./engine/state/apply-fact.ts";
import { createState } from "./engine/state/engine-state.ts";
import type { Fact } from "./engine/state/fact.ts";

const pageRows = 1_000;
/** Facts of the order path and of what may stop it; the rest is chat. */
const audited =
  /^(plan|order|cancel|replace|fill|external|position|claim|market|trading|kill|resume|reducing|breaker|strategy|venue|desk|account|run)\./u;

export type ProjectionReport = {
  readonly rows: number;
  readonly from: number;
  readonly to: number;
};

/** Brings orders, fills, positions, audit, commands and notices up to the ledger's end. @throws StoreError, LogError */
export async function projectLedger(
  log: Pick<DurableLog, "read">,
  store: Store,
  nowMs: number,
): Promise<ProjectionReport> {
  const from = await openDeskPosition(store);
  const projection = new Projection(store, from);
  let next = 1;
  for (;;) {
    const page = await log.read(next, pageRows);
    for (const record of page) await projection.apply(record);
    next += page.length;
    await projection.flush(nowMs);
    if (page.length < pageRows) return { rows: next - 1 - from, from, to: next - 1 };
  }
}

class Projection {
  readonly #store: Store;
  readonly #numbers: MarketNumbers;
  readonly #state = createState();
  readonly #oidOfFill = new Map<string, string>();
  readonly #commands = new Map<string, CommandRow>();
  #written: number;
  #seq = 0;
  #configHash = "";
  #codeVersion = "";
  #orders = new Map<string, OrderRow>();
  #fills = new Map<string, FillRow>();
  #audit: ExecutionAuditRow[] = [];
  #changedCommands = new Map<string, CommandRow>();
  #notices: NoticeRow[] = [];

  constructor(store: Store, written: number) {
    this.#store = store;
    this.#written = written;
    this.#numbers = new MarketNumbers(store.db);
  }

  async apply(record: LogRecord): Promise<void> {
    const fact = JSON.parse(record.body) as Fact;
    applyFact(this.#state, fact, record.atMs);
    this.#seq = record.seq;
    this.#remember(fact, record.atMs);
    if (record.seq <= this.#written) return;
    if (fact.kind === "markets.listed") await this.#numbers.describe(fact.markets, record.atMs);
    for (const clientOid of ordersOf(fact)) await this.#order(clientOid);
    if ("fill" in fact) await this.#fill(fact.fill.fillId);
    if ("fillId" in fact) {
      await this.#fill(fact.fillId);
      const clientOid = this.#oidOfFill.get(fact.fillId);
      if (clientOid !== undefined) await this.#order(clientOid);
    }
    if (fact.kind === "notice.raised") {
      const { noticeId, atMs, chatId, body } = fact.notice;
      this.#notices.push({
        notice_id: noticeId,
        at_ms: atMs,
        chat_id: chatId,
        kind: body.kind,
        body: JSON.stringify(body),
      });
    }
    if (audited.test(fact.kind)) this.#audit.push(this.#auditRow(fact, record));
  }

  async flush(nowMs: number): Promise<void> {
    if (this.#seq <= this.#written) return;
    const rows = {
      orders: [...this.#orders.values()],
      fills: [...this.#fills.values()],
      positions: await this.#positions(),
      audit: this.#audit,
      commands: [...this.#changedCommands.values()],
      notices: this.#notices,
    };
    await writeDesk(this.#store, rows, { from: this.#written, to: this.#seq, atMs: nowMs });
    this.#written = this.#seq;
    this.#orders = new Map();
    this.#fills = new Map();
    this.#changedCommands = new Map();
    this.#audit = [];
    this.#notices = [];
  }

  /** What later rows need of earlier ones. */
  #remember(fact: Fact, atMs: number): void {
    if (fact.kind === "run.started") {
      this.#configHash = fact.configHash;
      this.#codeVersion = fact.codeVersion;
    } else if (fact.kind === "fill.recorded") {
      this.#oidOfFill.set(fact.fill.fillId, fact.clientOid);
    } else if (fact.kind === "command.received") {
      const { commandId, actor, kind, text, sentAtMs, receivedAtMs } = fact.command;
      this.#command({
        command_id: commandId,
        user_id: actor.userId,
        chat_id: actor.chatId,
        kind,
        text,
        sent_ms: sentAtMs,
        received_ms: receivedAtMs,
        verdict: null,
        reason: null,
        answered_ms: null,
      });
    } else if (fact.kind === "command.answered") {
      const { commandId, verdict, reason } = fact;
      const asked = this.#commands.get(commandId);
      if (asked !== undefined) {
        this.#command({ ...asked, verdict, reason, answered_ms: atMs });
        // Answered is over: only those that wait have to be kept.
        this.#commands.delete(commandId);
      }
    }
  }

  #command(row: CommandRow): void {
    this.#commands.set(row.command_id, row);
    if (this.#seq > this.#written) this.#changedCommands.set(row.command_id, row);
  }

  async #order(clientOid: string): Promise<void> {
    const order = this.#state.orders.get(clientOid);
    if (order === undefined) return;
    const { conditionId, tokenId } = order.draft;
    const { marketId, outcome } = await this.#numbers.token(conditionId, tokenId);
    this.#orders.set(clientOid, orderRow(order, marketId, outcome, this.#seq));
  }

  async #fill(fillId: string): Promise<void> {
    const fill = this.#state.fills.get(fillId);
    if (fill === undefined) return;
    const clientOid = this.#oidOfFill.get(fillId) ?? null;
    // Nobody has read its market yet: number 0 is none, until the fact that names it.
    const { marketId, outcome } =
      fill.unread === true
        ? { marketId: 0, outcome: fill.outcome }
        : await this.#numbers.token(fill.conditionId, fill.tokenId);
    this.#fills.set(fillId, fillRow(fill, clientOid, marketId, outcome, this.#seq));
  }

  async #positions(): Promise<PositionRow[]> {
    const rows: PositionRow[] = [];
    for (const position of this.#state.positions.values()) {
      const { conditionId, tokenId } = position;
      const { marketId, outcome } = await this.#numbers.token(conditionId, tokenId);
      rows.push({
        token_id: tokenId,
        market_id: marketId,
        outcome,
        confirmed_e6: position.confirmed,
        provisional_bought_e6: position.provisionalBought,
        provisional_sold_e6: position.provisionalSold,
        cost_usd_e6: position.cost,
        realized_usd_e6: position.realizedUsd,
        seq: this.#seq,
      });
    }
    return rows;
  }

  #auditRow(fact: Fact, record: LogRecord): ExecutionAuditRow {
    const own = fact as Readonly<Record<string, unknown>>;
    const oid = own["clientOid"];
    return {
      seq: record.seq,
      at_ms: record.atMs,
      kind: record.kind,
      plan_id: fact.kind === "plan.approved" ? fact.plan.planId : null,
      client_oid: typeof oid === "string" ? oid : null,
      correlation_id: record.correlationId,
      config_hash: this.#configHash,
      code_version: this.#codeVersion,
      body: JSON.stringify(fact, withoutBytes),
    };
  }
}

/** The signed bytes of orders and calls stay in the ledger: whoever reads tables has no use for them. */
function withoutBytes(key: string, value: unknown): unknown {
  return (key === "body" || key === "bytes" || key === "raw") && typeof value === "string"
    ? undefined
    : value;
}

function ordersOf(fact: Fact): readonly string[] {
  if (fact.kind === "plan.approved") return fact.orders.map(({ clientOid }) => clientOid);
  if ("clientOids" in fact) return fact.clientOids;
  return "clientOid" in fact ? [fact.clientOid] : [];
}

function orderRow(order: Order, marketId: number, outcome: 0 | 1, seq: number): OrderRow {
  const { draft } = order;
  return {
    client_oid: order.clientOid,
    plan_id: order.planId,
    leg: order.leg,
    order_hash: order.orderHash,
    market_id: marketId,
    token_id: draft.tokenId,
    outcome,
    side: draft.side === "buy" ? 0 : 1,
    time_in_force: draft.timeInForce,
    limit_e4: draft.limit,
    size_e6: draft.size,
    spend_e6: draft.spend,
    strategy: order.strategy,
    user_id: order.userId,
    command_id: order.commandId,
    status: order.status,
    reason: order.rejectReason,
    filled_e6: order.filled,
    filled_usd_e6: order.filledUsd,
    fees_usd_e6: order.feesUsd,
    created_ms: order.createdAtMs,
    seq,
  };
}

function fillRow(
  fill: Fill,
  clientOid: string | null,
  marketId: number,
  outcome: 0 | 1,
  seq: number,
): FillRow {
  return {
    fill_id: fill.fillId,
    trade_id: fill.tradeId,
    order_hash: fill.orderHash,
    client_oid: clientOid,
    market_id: marketId,
    token_id: fill.tokenId,
    outcome,
    side: fill.side === "buy" ? 0 : 1,
    size_e6: fill.size,
    money_usd_e6: fill.money,
    fee_usd_e6: fill.fee,
    is_maker: fill.isMaker ? 1 : 0,
    status: fill.status,
    at_ms: fill.atMs,
    seq,
  };
}
