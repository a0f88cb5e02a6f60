import type { ConditionId } from "../../engine/domain/market.ts";
import { modeTag } from "../render/mode.ts";
import { TextBuilder } from "../text/rich-text.ts";
import { executed, message, type Reply, type Turn } from "../turn.ts";
import { refuse } from "./refusals.ts";

/** [Accept the rules]: of exactly the terms that the message spoke of. */
export async function acceptRules(
  turn: Turn,
  conditionId: ConditionId,
  ruleHash: string,
): Promise<Reply> {
  const { api, actor, command } = turn;
  const accepted = await api.acceptRules(actor, command.commandId, conditionId, ruleHash);
  if (!accepted.ok) return refuse(turn, accepted.error);
  const text = new TextBuilder()
    .bold(`${modeTag(turn.deps.mode)} · RULES ACCEPTED`)
    .line()
    .plain("Strategies may trade this market again. Nothing was sent.");
  return executed("rules_accepted", message(text.build()));
}
