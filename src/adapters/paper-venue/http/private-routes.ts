import { MaxUint256 } from "ethers/constants";
import type { Account } from "../exchange/account.ts";
import { cancelOrders, cancelWhere } from "../exchange/cancel-orders.ts";
import { exchanges } from "../exchange/order-signature.ts";
import { placeOrder, placeOrders } from "../exchange/place-order.ts";
import type { OrderRecord } from "../exchange/records.ts";
import type { TradeFilter } from "../exchange/store.ts";
import { badRequest, notFound } from "../exchange/venue-error.ts";
import type { VenueState } from "../exchange/venue-state.ts";
import { orderBody, tradeBody } from "../exchange/wire.ts";
import type { Heartbeats } from "./heartbeats.ts";
import { listPage, page } from "./paging.ts";
import type { HttpRequest, Route } from "./route.ts";
import { isRecord, jsonBody, jsonObject, reply } from "./route.ts";
import { reader, signedIn } from "./session.ts";

const allowances = Object.fromEntries(
  Object.values(exchanges).map((address) => [address, MaxUint256.toString()]),
);

function orderFilter(query: URLSearchParams): (order: OrderRecord) => boolean {
  const market = query.get("market");
  const asset = query.get("asset_id");
  return (order) =>
    (market === null || order.conditionId === market) &&
    (asset === null || order.tokenId === asset);
}

function listedOrders(state: VenueState, account: Account, query: URLSearchParams): OrderRecord[] {
  const id = query.get("id");
  const order = id === null ? null : state.order(id);
  const orders =
    id === null
      ? [...account.open.values()]
      : order === null || order.account !== account.address
        ? []
        : [order];
  return orders.filter(orderFilter(query));
}

function secondsParam(value: string | null): number | undefined {
  if (value === null || value === "") return undefined;
  if (!/^\d{1,12}$/.test(value)) throw badRequest("invalid time filter");
  return Number(value);
}

function tradeFilter(query: URLSearchParams): TradeFilter {
  const text = {
    id: query.get("id"),
    makerAddress: query.get("maker_address"),
    market: query.get("market"),
    assetId: query.get("asset_id"),
    afterS: secondsParam(query.get("after")),
    beforeS: secondsParam(query.get("before")),
  };
  return Object.fromEntries(
    Object.entries(text).filter(([, value]) => value !== null && value !== undefined),
  );
}

function balanceBody(state: VenueState, request: HttpRequest): Record<string, unknown> {
  const account = reader(state, request);
  const type = request.query.get("asset_type");
  const token = request.query.get("token_id") ?? "";
  if (type === "COLLATERAL") return { balance: account.cash.toString(), allowances };
  if (type !== "CONDITIONAL" && type !== "CONDITIONAL-V2") throw badRequest("invalid asset type");
  if (state.markets.byToken(token) === null && account.shares(token) === 0n) {
    throw notFound("market not found");
  }
  const shares = account.shares(token);
  return { balance: (shares > 0n ? shares : 0n).toString(), allowances };
}

function orderIds(body: unknown): string[] {
  if (!Array.isArray(body)) throw badRequest("Invalid order payload");
  return body.map((id: unknown) => {
    if (typeof id !== "string") throw badRequest("Invalid orderID");
    return id;
  });
}

function tradingRoutes(state: VenueState): Route[] {
  return [
    {
      method: "POST",
      path: "/order",
      handle: (request) => {
        const key = signedIn(state, request);
        return reply(placeOrder(state, key, jsonBody(request)));
      },
    },
    {
      method: "POST",
      path: "/orders",
      handle: (request) => {
        const key = signedIn(state, request);
        return reply(placeOrders(state, key, jsonBody(request)));
      },
    },
    {
      method: "DELETE",
      path: "/order",
      handle: (request) => {
        const { account } = signedIn(state, request);
        const body = jsonObject(request);
        const id = body.orderID ?? body.orderId;
        return reply(cancelOrders(state, account, orderIds([id])));
      },
    },
    {
      method: "DELETE",
      path: "/orders",
      handle: (request) => {
        const { account } = signedIn(state, request);
        return reply(cancelOrders(state, account, orderIds(jsonBody(request))));
      },
    },
    {
      method: "DELETE",
      path: "/cancel-all",
      handle: (request) => reply(cancelWhere(state, signedIn(state, request).account, () => true)),
    },
    {
      method: "DELETE",
      path: "/cancel-market-orders",
      handle: (request) => {
        const { account } = signedIn(state, request);
        const body = jsonObject(request);
        const query = new URLSearchParams();
        for (const name of ["market", "asset_id"]) {
          const value = body[name];
          if (typeof value === "string" && value !== "") query.set(name, value);
        }
        return reply(cancelWhere(state, account, orderFilter(query)));
      },
    },
  ];
}

function readingRoutes(state: VenueState): Route[] {
  const get = (path: string, handle: Route["handle"]): Route => ({ method: "GET", path, handle });
  return [
    get("/data/orders", (request) => {
      const orders = listedOrders(state, reader(state, request), request.query);
      return listPage(orders.map(orderBody), request.query.get("next_cursor"));
    }),
    get("/data/order/:id", (request, [id]) => {
      const account = reader(state, request);
      const order = id === undefined ? null : state.order(id);
      if (order === null || order.account !== account.address) throw notFound("order not found");
      return reply(orderBody(order));
    }),
    get("/data/trades", (request) => {
      const account = reader(state, request);
      const filter = tradeFilter(request.query);
      return page(request.query.get("next_cursor"), (offset, limit) =>
        state.store
          .trades(account.address, filter, offset, limit)
          .map((trade) => tradeBody(trade, account.address)),
      );
    }),
    get("/balance-allowance", (request) => reply(balanceBody(state, request))),
    get("/balance-allowance/update", (request) => reply(balanceBody(state, request))),
    get("/auth/ban-status/closed-only", (request) => {
      const { address } = reader(state, request);
      if (state.access.banned) throw badRequest(`'${address}' address banned`);
      return reply({ closed_only: state.access.closedOnly });
    }),
    get("/order-scoring", (request) => {
      reader(state, request);
      return reply({ scoring: false });
    }),
    get("/notifications", (request) => {
      reader(state, request);
      return reply([]);
    }),
  ];
}

/** Everything that needs L2 credentials. */
export function privateRoutes(state: VenueState, heartbeats: Heartbeats): Route[] {
  return [
    ...tradingRoutes(state),
    ...readingRoutes(state),
    {
      method: "POST",
      path: "/v1/heartbeats",
      handle: (request) => {
        const key = signedIn(state, request);
        const body = jsonObject(request);
        const id = isRecord(body) ? body.heartbeat_id : undefined;
        return heartbeats.beat(key, typeof id === "string" ? id : "");
      },
    },
    {
      method: "POST",
      path: "/heartbeats",
      handle: (request) => heartbeats.plainBeat(signedIn(state, request)),
    },
  ];
}
