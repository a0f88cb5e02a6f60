import { parseOrderRequest } from "../../adapters/paper-venue/exchange/order-request.ts";
import { orderHash, signatureValid } from "../../adapters/paper-venue/exchange/order-signature.ts";
import { exchangesOf } from "../../adapters/polymarket/contracts.ts";
import { systemEntropy } from "../../adapters/system/entropy.ts";
import { formatPrice, formatShares } from "../../engine/domain/numbers.ts";
import type { OrderDraft, PreparedOrder } from "../../engine/domain/order.ts";
import type { VenuePort } from "../../engine/ports/venue.ts";
import type { CheckDesk } from "./check-desk.ts";

/** Hex digits of a salt that a JSON number holds exactly. */
const saltHexDigits = 13;

export function preparedOrder(venue: VenuePort, draft: OrderDraft): PreparedOrder {
  const salt = Number.parseInt(systemEntropy.hex(8).slice(0, saltHexDigits), 16);
  return venue.prepare(draft, { salt, timestampMs: Date.now() });
}

export type ShownOrder = {
  readonly orderHash: string;
  readonly domain: {
    readonly name: string;
    readonly version: string;
    readonly chainId: number;
    readonly verifyingContract: string;
  };
  /** The signer that the second implementation recovered; null when it is another. */
  readonly signedBy: string | null;
  /** Whether the second implementation computes the same hash. */
  readonly hashAgrees: boolean;
  /** The request's body, with the API key left out. */
  readonly body: unknown;
  readonly text: string;
};

/** Everything of a signed order, checked by the code that verifies orders in the paper venue: it shares none with the signer. */
export function shownOrder(desk: CheckDesk, draft: OrderDraft, order: PreparedOrder): ShownOrder {
  const { relayer } = desk.config;
  const { signer, funder } = desk.polymarket.venue.account;
  const { standard, negRisk, positions } = exchangesOf(relayer.chainId);
  const version = draft.version === "v2" ? "3" : "2";
  const exchange = draft.version === "v2" ? positions : draft.negRisk ? negRisk : standard;
  const body = JSON.parse(order.body) as Record<string, unknown>;
  const { fields, signature } = parseOrderRequest(body);
  // The second implementation knows Polygon alone; on the test network it says so by not agreeing.
  const isSigned = signatureValid(fields, { version, exchange }, signature, signer);
  const shown = {
    orderHash: order.orderHash,
    domain: {
      name: "Polymarket CTF Exchange",
      version,
      chainId: relayer.chainId,
      verifyingContract: exchange,
    },
    signedBy: isSigned ? signer : null,
    hashAgrees: orderHash(fields, version, exchange) === order.orderHash,
    body: { ...body, owner: "(API key)" },
  };
  const side = `${draft.side.toUpperCase()} ${formatShares(draft.size)} @ $${formatPrice(draft.limit)}`;
  const lines = [
    `order     ${side}, ${draft.timeInForce.toUpperCase()}, post-only ${draft.postOnly}`,
    `hash      ${shown.orderHash} (${shown.hashAgrees ? "the second implementation agrees" : "THE SECOND IMPLEMENTATION DIFFERS"})`,
    `domain    ${shown.domain.name} version ${version}, chain ${relayer.chainId}, ${exchange}`,
    `signed by ${shown.signedBy ?? "NOT THE SIGNER"} for ${funder} (signature type ${relayer.signatureType})`,
    `body      ${JSON.stringify(shown.body)}`,
  ];
  return { ...shown, text: lines.join("\n") };
}
