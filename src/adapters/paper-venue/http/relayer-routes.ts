import { getAddress, isAddress } from "ethers/address";
import {
  type RelayRecord,
  type RelayType,
  relayAddress,
  relayState,
  submitRelay,
} from "../exchange/relays.ts";
import { badRequest, notFound, unauthorized } from "../exchange/venue-error.ts";
import type { VenueState } from "../exchange/venue-state.ts";
import { type HttpRequest, jsonObject, type Route, reply } from "./route.ts";

/** Keys of the real relayer are made on the site; here every key of an address is taken, its owner's signature is not. */
function keyAddress(request: HttpRequest): string {
  const key = request.header("relayer_api_key");
  const address = request.header("relayer_api_key_address");
  if (key === undefined || key === "" || !isAddress(address))
    throw unauthorized("invalid relayer key");
  return getAddress(address);
}

function typeOf(request: HttpRequest): RelayType {
  const type = request.query.get("type");
  if (type === "SAFE" || type === "PROXY" || type === "WALLET") return type;
  throw badRequest("type is missing");
}

function shown(state: VenueState, record: RelayRecord): unknown {
  const { id, account, wallet, type, nonce, metadata, transactionHash, createdAtMs } = record;
  const status = relayState(record, state.now(), state.options.settleMs);
  return {
    transactionID: id,
    transactionHash: status === "STATE_NEW" ? "" : transactionHash,
    from: account,
    proxyAddress: wallet,
    nonce,
    state: status,
    type,
    metadata,
    errorMsg: status === "STATE_FAILED" ? record.failure : null,
    createdAt: new Date(createdAtMs).toISOString(),
  };
}

/** The venue's transaction relayer: parameters, submission, and what became of it. */
export function relayerRoutes(state: VenueState): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/account/transactions/params",
      handle: (request) => {
        const address = request.query.get("address");
        if (!isAddress(address)) throw badRequest("address is missing");
        const nonce = state.relays.nextNonce(getAddress(address), typeOf(request));
        return reply({ address: relayAddress, nonce });
      },
    },
    {
      method: "POST",
      path: "/submit",
      handle: (request) => {
        const record = submitRelay(state, keyAddress(request), jsonObject(request));
        return reply({ transactionID: record.id, state: "STATE_NEW", transactionHash: null });
      },
    },
    {
      method: "GET",
      path: "/transactions",
      handle: (request) =>
        reply(state.relays.of(keyAddress(request)).map((record) => shown(state, record))),
    },
    {
      method: "GET",
      path: "/v1/account/transactions/:id",
      handle: (_request, [id]) => {
        const record = state.relays.get(id ?? "");
        if (record === null) throw notFound("transaction not found");
        return reply(shown(state, record));
      },
    },
  ];
}
