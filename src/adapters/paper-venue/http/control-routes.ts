import { getAddress } from "ethers/address";
import { parseMicro } from "../exchange/amounts.ts";
import type { Market } from "../exchange/market.ts";
import type { PaperExchange } from "../exchange/paper-exchange.ts";
import { convert, merge, split } from "../exchange/positions.ts";
import { badRequest, notFound } from "../exchange/venue-error.ts";
import type { VenueState } from "../exchange/venue-state.ts";
import type { Faults } from "./faults.ts";
import { boundedInt, isHttpFault, pattern } from "./faults.ts";
import type { RequestLog } from "./request-log.ts";
import type { HttpRequest, Route } from "./route.ts";
import { jsonObject, reply } from "./route.ts";
import { signedIn } from "./session.ts";
import type { SocketFaults } from "./socket-faults.ts";

/** What the control paths reach into. */
export type Controls = {
  readonly state: VenueState;
  readonly exchange: PaperExchange;
  readonly faults: Faults;
  readonly socketFaults: SocketFaults;
  readonly log: RequestLog;
  /** Asks the world to move a market by whole ticks; false when no world listens. */
  readonly move: (conditionId: string, ticks: number) => boolean;
  /** Does at once whatever is due by the venue's clock. */
  readonly tick: () => void;
};

const MAX_TICKS = 10_000;
const MAX_TRADE_FAULTS = 1000;

function marketOf(state: VenueState, slug: unknown): Market {
  const market = typeof slug === "string" ? state.markets.bySlug(slug) : null;
  if (market === null) throw notFound("market not found");
  return market;
}

function ticksOf(body: Record<string, unknown>): number {
  const ticks = Number(body.ticks);
  if (!Number.isInteger(ticks) || Math.abs(ticks) > MAX_TICKS) throw badRequest("invalid ticks");
  return ticks;
}

function winnerOf(market: Market, value: unknown): 0 | 1 {
  if (value === 0 || value === 1) return value;
  const at = market.spec.outcomes.findIndex(
    (outcome) => outcome.name === value || outcome.tokenId === value,
  );
  if (at === 0 || at === 1) return at;
  throw badRequest("winner is neither 0, 1, an outcome's name nor a token id");
}

function sharesOf(body: Record<string, unknown>): bigint {
  const { shares } = body;
  const text = typeof shares === "number" ? String(shares) : shares;
  const micro = typeof text === "string" ? parseMicro(text) : null;
  if (micro === null || micro === 0n) throw badRequest("invalid shares");
  return micro;
}

function textOf(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (typeof value !== "string") throw badRequest(`${name} is missing`);
  return value;
}

function changePositions(state: VenueState, request: HttpRequest): void {
  const key = signedIn(state, request);
  const account = state.accounts.get(getAddress(key.account));
  const body = jsonObject(request);
  const shares = sharesOf(body);
  if (account === null) throw notFound("account not found");
  if (body.action === "split") {
    split(state, account, textOf(body, "condition_id"), shares);
  } else if (body.action === "merge") {
    merge(state, account, textOf(body, "condition_id"), shares);
  } else if (body.action === "convert") {
    const ids = body.condition_ids;
    if (!Array.isArray(ids)) throw badRequest("condition_ids is missing");
    convert(state, account, textOf(body, "market_id"), ids.map(String), shares);
  } else {
    throw badRequest("action is not split, merge or convert");
  }
}

function addFault(controls: Controls, body: Record<string, unknown>): void {
  const { name } = body;
  if (isHttpFault(name)) {
    controls.faults.add(name, body);
  } else if (name === "trade-fail" || name === "trade-retry") {
    const times = boundedInt(body.times, 1, MAX_TRADE_FAULTS);
    const plan = name === "trade-fail" ? "fail" : "retry";
    for (let i = 0; i < times; i++) controls.state.tradePlans.push(plan);
  } else if (name === "ws-drop" || name === "ws-mute" || name === "ws-skip") {
    controls.socketFaults.add(name, body);
  } else {
    throw badRequest("unknown fault");
  }
}

function marketControls(controls: Controls): Route[] {
  const { state, exchange } = controls;
  return [
    {
      method: "POST",
      path: "/paper/market/:slug/hold",
      handle: (request, [slug]) => {
        const market = marketOf(state, slug);
        exchange.hold(market.id, jsonObject(request).hold !== false);
        return reply({ slug, held: market.held });
      },
    },
    {
      method: "POST",
      path: "/paper/market/:slug/move",
      handle: (request, [slug]) => {
        const market = marketOf(state, slug);
        const ticks = ticksOf(jsonObject(request));
        let moved = false;
        exchange.whileMoving(market.id, () => {
          moved = controls.move(market.id, ticks);
        });
        if (!moved) throw badRequest("no world to move the market");
        return reply({ slug, ticks, ...market.state(), spec: undefined });
      },
    },
    {
      method: "POST",
      path: "/paper/market/:slug/rules",
      handle: (request, [slug]) => {
        const market = marketOf(state, slug);
        market.editRules(textOf(jsonObject(request), "description"));
        return reply({ slug, description: market.spec.description });
      },
    },
    {
      method: "POST",
      path: "/paper/market/:slug/resolve",
      handle: (request, [slug]) => {
        const market = marketOf(state, slug);
        const winner = winnerOf(market, jsonObject(request).winner);
        exchange.resolve(market.id, winner);
        return reply({ slug, winner });
      },
    },
    {
      method: "POST",
      path: "/paper/market/:slug/tick-size",
      handle: (request, [slug]) => {
        const market = marketOf(state, slug);
        const tickSize = textOf(jsonObject(request), "tick_size");
        exchange.whileMoving(market.id, () => exchange.changeTickSize(market.id, tickSize));
        return reply({ slug, tick_size: market.book.tickSize });
      },
    },
  ];
}

/** Paths of the offline desk alone; no real venue has them. */
export function controlRoutes(controls: Controls): Route[] {
  return [
    ...marketControls(controls),
    {
      method: "POST",
      path: "/paper/tick",
      handle: () => {
        controls.tick();
        return reply({ ok: true });
      },
    },
    {
      method: "POST",
      path: "/paper/positions",
      handle: (request) => {
        changePositions(controls.state, request);
        return reply({ ok: true });
      },
    },
    {
      method: "POST",
      path: "/paper/access",
      handle: (request) => {
        const body = jsonObject(request);
        const { access } = controls.state;
        access.blocked = body.blocked === true;
        access.closedOnly = body.closed_only === true;
        access.banned = body.banned === true;
        return reply(access);
      },
    },
    {
      method: "POST",
      path: "/paper/fault",
      handle: (request) => {
        addFault(controls, jsonObject(request));
        return reply({ ok: true });
      },
    },
    {
      method: "DELETE",
      path: "/paper/faults",
      handle: () => {
        controls.faults.clear();
        controls.socketFaults.clear();
        controls.state.tradePlans.length = 0;
        return reply({ ok: true });
      },
    },
    {
      method: "GET",
      path: "/paper/log",
      handle: (request) =>
        reply(controls.log.matching(pattern(request.query.get("path") ?? undefined, ".*"))),
    },
  ];
}
