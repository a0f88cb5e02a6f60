import type { OutMessage } from "../api/outbox.ts";
import type { Actor, ReceivedCommand } from "../api/requests.ts";
import type { OrderView } from "../api/views.ts";
import { isOpen } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import { unreachable } from "../lib/assert.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { openOrders } from "../state/exposure.ts";
import { confirm } from "./confirm.ts";
import { checkActionConfirm, commitAction, quoteAction } from "./confirm-action.ts";
import { emit, type StepContext } from "./context.ts";
import { degrade } from "./controls.ts";
import { cancelExternal } from "./external.ts";
import type { Reply, Request } from "./input.ts";
import { kill } from "./kill.ts";
import { askCancel } from "./order-progress.ts";
import { orderView } from "./order-view.ts";
import { quoteReplace } from "./quote-replace.ts";
import { quoteSet } from "./quote-set.ts";
import { quoteTrade } from "./quote-trade.ts";
import { askResume, confirmResume, resumeWithCode } from "./resume.ts";
import { acceptRules } from "./rules.ts";

const none: Reply = { to: "none" };

/** Handles one request of the driving side. */
export function handleRequest(context: StepContext, request: Request): Reply {
  const { state } = context;
  switch (request.do) {
    case "receive":
      return { to: "receive", value: receive(context, request.command) };
    case "answer": {
      const command = state.commands.get(request.commandId);
      if (command === undefined) return none;
      const { commandId, verdict, reason } = request;
      const { userId } = command.actor;
      emit(context, { kind: "command.answered", commandId, userId, verdict, reason });
      enqueue(context, request.messages);
      return none;
    }
    case "enqueue":
      enqueue(context, request.messages);
      return none;
    case "sent":
      if (!state.outbox.has(request.key)) return none;
      emit(context, {
        kind: "message.sent",
        key: request.key,
        telegramMessageId: request.telegramMessageId,
      });
      return none;
    case "failed":
      if (!state.outbox.has(request.key)) return none;
      emit(context, {
        kind: "message.failed",
        key: request.key,
        reason: request.reason,
        retryAtMs: request.retryAtMs,
      });
      return none;
    case "told":
      if (request.upTo <= state.toldUpTo) return none;
      emit(context, { kind: "notices.told", upTo: request.upTo });
      enqueue(context, request.messages);
      return none;
    case "degrade":
      degrade(context, request.source, request.detail);
      return none;
    case "discard": {
      const card = state.cards.get(request.nonce);
      const own = card?.userId === request.actor.userId && card.chatId === request.actor.chatId;
      if (card?.state === "open" && own) {
        emit(context, { kind: "card.closed", nonce: request.nonce, state: "discarded" });
      }
      return none;
    }
    default:
      return handleTrading(context, request);
  }
}

type TradingRequest = Exclude<
  Request,
  {
    readonly do:
      | "receive"
      | "answer"
      | "enqueue"
      | "sent"
      | "failed"
      | "told"
      | "degrade"
      | "discard";
  }
>;

function handleTrading(context: StepContext, request: TradingRequest): Reply {
  switch (request.do) {
    case "quote": {
      const { actor, commandId } = request;
      return { to: "quote", value: quoteTrade(context, actor, commandId, request.request) };
    }
    case "quote-replace": {
      const { actor, commandId, clientOid, limit } = request;
      const value = quoteReplace(context, { actor, commandId, clientOid, limit });
      return { to: "quote-replace", value };
    }
    case "quote-set": {
      const { actor, commandId, setId, size } = request;
      return { to: "quote-set", value: quoteSet(context, actor, commandId, setId, size) };
    }
    case "confirm": {
      const { actor, commandId, nonce, signed } = request;
      return { to: "confirm", value: confirm(context, actor, commandId, nonce, signed) };
    }
    case "quote-action": {
      const { actor, commandId, figures } = request;
      const value = quoteAction(context, actor, commandId, request.request, figures);
      return { to: "quote-action", value };
    }
    case "confirm-action": {
      const { actor, commandId, nonce } = request;
      const value = checkActionConfirm(context, actor, commandId, nonce);
      return { to: "confirm-action", value };
    }
    case "commit-action": {
      const { actor, commandId, nonce, prepared } = request;
      const value = commitAction(context, actor, commandId, nonce, prepared);
      return { to: "commit-action", value };
    }
    case "cancel":
      return { to: "cancel", value: cancel(context, request.actor, request.clientOids) };
    case "accept-rules": {
      const { actor, conditionId, ruleHash } = request;
      return { to: "accept-rules", value: acceptRules(context, actor, conditionId, ruleHash) };
    }
    case "cancel-external":
      return {
        to: "cancel-external",
        value: cancelExternal(context, request.actor, request.orderHash),
      };
    case "kill":
      return { to: "kill", value: kill(context, request.byUserId, request.note) };
    case "ask-resume":
      return { to: "ask-resume", value: askResume(context, request.actor, request.commandId) };
    case "confirm-resume":
      return {
        to: "confirm-resume",
        value: confirmResume(context, request.actor, request.nonce),
      };
    case "resume-with-code":
      return {
        to: "confirm-resume",
        value: resumeWithCode(context, request.actor, request.code),
      };
    default:
      return unreachable(request);
  }
}

function receive(context: StepContext, command: ReceivedCommand): "new" | "duplicate" {
  const { state } = context;
  if (state.commands.has(command.commandId) || state.answered.has(command.commandId)) {
    return "duplicate";
  }
  emit(context, {
    kind: "command.received",
    command: { ...command, receivedAtMs: context.atMs },
  });
  return "new";
}

function enqueue(context: StepContext, messages: readonly OutMessage[]): void {
  for (const message of messages) {
    const { outbox, sent } = context.state;
    if (outbox.has(message.key) || sent.has(message.key)) continue;
    emit(context, { kind: "message.queued", message });
  }
}

/** Cancels are always allowed: they only take risk away. */
function cancel(
  context: StepContext,
  actor: Actor,
  clientOids: readonly string[] | "all",
): Result<{ readonly asked: readonly OrderView[] }, Denial> {
  const { state } = context;
  const orders = clientOids === "all" ? openOrders(state) : [];
  for (const clientOid of clientOids === "all" ? [] : clientOids) {
    const order = state.orders.get(clientOid);
    if (order === undefined) return err({ code: "order_unknown", subject: clientOid });
    if (!isOpen(order)) return err({ code: "order_closed", subject: order.orderHash.slice(2, 10) });
    orders.push(order);
  }
  askCancel(context, orders, `user ${actor.userId}`);
  return ok({ asked: orders.map((order) => orderView(state, order)) });
}
