import { unreachable } from "../lib/assert.ts";
import type { Hasher } from "../ports/hasher.ts";
import type { Effect } from "../protocol/effect.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { EngineState } from "../state/engine-state.ts";
import { openOrders } from "../state/exposure.ts";
import type { Fact } from "../state/fact.ts";
import { accountEvent, accountRead, cancelFinished, readAccount } from "./account.ts";
import { callReported, claimRead, startActions, submitFinished } from "./action-progress.ts";
import { emit, type StepContext } from "./context.ts";
import { followControls } from "./controls.ts";
import { clockMeasured, heartbeatChanged, timeJumped } from "./degraded.ts";
import { halt } from "./halt.ts";
import type { EngineInput, Envelope, Reply } from "./input.ts";
import { bookRead, booksWatched, catalogRead, marketInput } from "./market-input.ts";
import { leaveBooks } from "./market-memory.ts";
import { postFinished, queryFinished, watchOf } from "./order-progress.ts";
import { continueReplacements, replaceSigned } from "./replace.ts";
import { handleRequest } from "./requests.ts";
import { tick } from "./tick.ts";
import { booksChanged } from "./wake-up.ts";

export type StepResult = {
  readonly facts: readonly Fact[];
  readonly effects: readonly Effect[];
  readonly reply: Reply;
};

/**
 * The engine: one input in, decisions out. Synchronous, without I/O, clock or chance of its own; the same state and the
 * same envelope always give the same result.
 */
export function step(
  state: EngineState,
  settings: EngineSettings,
  hasher: Hasher,
  envelope: Envelope,
): StepResult {
  state.live.nowMs = Math.max(state.live.nowMs, envelope.atMs);
  const context: StepContext = {
    state,
    settings,
    hasher,
    atMs: state.live.nowMs,
    entropy: envelope.entropy,
    facts: [],
    effects: [],
  };
  const reply = handle(context, envelope);
  if (state.replacements.size > 0) continueReplacements(context);
  followControls(context, envelope.input.kind === "tick");
  return { facts: context.facts, effects: context.effects, reply };
}

function handle(context: StepContext, envelope: Envelope): Reply {
  const { input } = envelope;
  const none: Reply = { to: "none" };
  switch (input.kind) {
    case "market":
      marketInput(context, input.event);
      return none;
    case "tick":
      tick(context);
      return none;
    case "venue.connected":
      context.state.live.nextReconcileAtMs = context.atMs;
      tick(context);
      return none;
    case "run.start":
      startRun(context);
      return none;
    case "books.watched":
      booksWatched(context, input.markets);
      return none;
    case "books.dropped":
      leaveBooks(context.state, input.conditionIds);
      return none;
    case "books.changed":
      booksChanged(context, input.books);
      return none;
    case "book.read":
      bookRead(context, input.conditionId, input.book);
      return none;
    case "catalog.read":
      catalogRead(context, input.answer);
      return none;
    case "account":
      accountEvent(context, input.event);
      return none;
    case "account.read":
      accountRead(context, input.purpose, input.report);
      return none;
    case "post.finished":
      postFinished(context, input);
      return none;
    case "query.finished":
      queryFinished(context, input.clientOid, input.outcome, input.fills);
      return none;
    case "cancel.finished":
      cancelFinished(context, input.clientOids, input.outcome);
      return none;
    case "replace.signed":
      replaceSigned(context, input);
      return none;
    case "action.submitted":
      submitFinished(context, input.actionId, input.outcome);
      return none;
    case "action.queried":
      callReported(context, input.actionId, input.report);
      return none;
    case "claim.read":
      claimRead(context, input.conditionId, input.sizes);
      return none;
    case "request":
      return handleRequest(context, input.request);
    default:
      troubleReported(context, input);
      return none;
  }
}

type Trouble = Extract<
  EngineInput,
  {
    readonly kind:
      | "ledger.late"
      | "conservation.broken"
      | "crash.loop"
      | "time.jumped"
      | "clock.followed"
      | "clock.measured"
      | "heartbeat.changed";
  }
>;

/** What the guards around the engine noticed. */
function troubleReported(context: StepContext, input: Trouble): void {
  switch (input.kind) {
    case "ledger.late":
      halt(context, "ledger_failed", input.detail);
      return;
    case "conservation.broken":
      halt(context, "conservation", input.detail);
      return;
    case "crash.loop":
      halt(context, "crash_loop", input.detail);
      return;
    case "time.jumped":
      timeJumped(context, input.detail);
      return;
    case "clock.followed":
      context.state.live.clockSetAtMs = context.atMs;
      return;
    case "clock.measured":
      clockMeasured(context, input.offsetMs);
      return;
    case "heartbeat.changed":
      heartbeatChanged(context, input.detail);
      return;
    default:
      unreachable(input);
  }
}

const startBackMs = 600_000;

/**
 * From when on trades may be missing that were made while nobody looked: a while before the newest that is known. That is
 * the venue's own time; ours, of the last run or of this one, may come from a wrong clock.
 */
function tradesKnownToMs({ state, atMs }: StepContext): number {
  if (state.atMs === 0) return atMs;
  let newestMs = 0;
  for (const fill of state.fills.values()) newestMs = Math.max(newestMs, fill.atMs);
  return (newestMs > 0 ? newestMs : Math.min(state.atMs, atMs)) - startBackMs;
}

/** A run begins: what the last one had in flight is unknown until the venue is asked; trading waits for that. */
function startRun(context: StepContext): void {
  const { state, settings } = context;
  const { mode, configHash, codeVersion } = settings;
  state.live.fillsReadToMs = tradesKnownToMs(context);
  emit(context, { kind: "run.started", mode, configHash, codeVersion });
  for (const [nonce, card] of state.cards.entries()) {
    // Shown by a clock that was ahead: by this one it would be good for longer than it says.
    const isAhead = card.state === "open" && card.createdAtMs > context.atMs;
    if (isAhead) emit(context, { kind: "card.closed", nonce, state: "expired" });
  }
  for (const order of openOrders(state)) {
    // What the venue refused is not in doubt; it waits for its confirming look as before.
    if (order.status === "in_flight" && order.refusal === null) {
      const { clientOid } = order;
      emit(context, { kind: "order.unknown", clientOid, detail: "the last run ended meanwhile" });
    }
    watchOf(context, order.clientOid).nextQueryAtMs = context.atMs;
  }
  startActions(context);
  readAccount(context, "start");
}
