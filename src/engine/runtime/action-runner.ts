import type { EngineInput } from "../core/input.ts";
import { isOpenAction } from "../domain/position-action.ts";
import type { Denial } from "../domain/reasons.ts";
import { unreachable } from "../lib/assert.ts";
import type { ContractPort } from "../ports/contracts.ts";
import type { Clock } from "../ports/system.ts";
import type { Effect } from "../protocol/effect.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import { checkCallState } from "../risk/check-action.ts";
import type { EngineState } from "../state/engine-state.ts";

export type ActionEffect = Extract<
  Effect,
  { readonly kind: "action.submit" | "action.query" | "action.settled" | "claim.read" }
>;

export type ActionDeps = {
  readonly state: EngineState;
  readonly contracts: ContractPort;
  readonly clock: Clock;
  readonly mode: EngineSettings["mode"];
  /** Why nothing at all may leave now. */
  readonly gateDenial: () => Denial | null;
  readonly dispatch: (input: EngineInput, correlationId: string) => Promise<void>;
};

/** Carries out what a step asks of the contracts; every outcome, even a failure, comes back as an input. */
export class ActionRunner {
  readonly contracts: ContractPort;
  readonly #deps: ActionDeps;

  constructor(deps: ActionDeps) {
    this.#deps = deps;
    this.contracts = deps.contracts;
  }

  async perform(effect: ActionEffect): Promise<void> {
    switch (effect.kind) {
      case "action.submit":
        return this.#submit(effect.actionId);
      case "action.query":
        return this.#query(effect.actionId);
      case "action.settled":
        return this.#settled(effect.actionId);
      case "claim.read":
        return this.readClaim(effect.conditionId);
      default:
        return unreachable(effect);
    }
  }

  async #submit(actionId: string): Promise<void> {
    const { state, contracts, dispatch } = this.#deps;
    const action = state.actions.get(actionId);
    if (action === undefined) return;
    const outcome = await contracts.submit(action.prepared, () => this.#gate(actionId));
    await dispatch({ kind: "action.submitted", actionId, outcome }, actionId);
  }

  /** Asked before the first byte of a contract call, also of the same bytes again. */
  #gate(actionId: string): Denial | null {
    const { state, mode, clock, gateDenial } = this.#deps;
    const closed = gateDenial();
    if (closed !== null) return closed;
    if (mode === "dry-run") return { code: "paused", subject: "dry_run" };
    const action = state.actions.get(actionId);
    if (action === undefined || !isOpenAction(action)) return { code: "order_closed" };
    const denial = checkCallState(state, action.terms);
    if (denial !== null) return denial;
    const late = action.status === "in_flight" && clock.nowMs() >= action.deadlineMs;
    return late ? { code: "command_expired" } : null;
  }

  async #query(actionId: string): Promise<void> {
    const { state, contracts, dispatch } = this.#deps;
    const action = state.actions.get(actionId);
    if (action === undefined) return;
    const report = await contracts.query(action.prepared, action.reference);
    await dispatch({ kind: "action.queried", actionId, report }, actionId);
  }

  async #settled(actionId: string): Promise<void> {
    const terms = this.#deps.state.actions.get(actionId)?.terms;
    if (terms === undefined) return;
    const tokenIds = [...terms.takes, ...terms.gives].map((leg) => leg.tokenId);
    await this.contracts.refreshBalances([...new Set(tokenIds)]);
  }

  /** What the account still holds of a claim, read where it would be redeemed. */
  async readClaim(conditionId: string): Promise<void> {
    const { state, contracts, dispatch } = this.#deps;
    const claim = state.claims.get(conditionId);
    const version = state.markets.get(conditionId)?.version;
    if (claim === undefined || version === undefined) return;
    const reads = await Promise.all(
      claim.legs.map(async ({ tokenId }) => ({
        tokenId,
        size: await contracts.shares(tokenId, version),
      })),
    );
    const sizes = reads.flatMap(({ tokenId, size }) =>
      size.ok ? [{ tokenId, size: size.value }] : [],
    );
    const whole = sizes.length === reads.length ? sizes : null;
    await dispatch({ kind: "claim.read", conditionId, sizes: whole }, conditionId);
  }
}
