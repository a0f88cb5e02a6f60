import type { Account } from "../exchange/account.ts";
import { verifyL2 } from "../exchange/credentials.ts";
import type { ApiKey } from "../exchange/records.ts";
import { unauthorized } from "../exchange/venue-error.ts";
import type { VenueState } from "../exchange/venue-state.ts";
import type { HttpRequest } from "./route.ts";

/** Verifies L2 headers; throws 401. */
export function signedIn(state: VenueState, request: HttpRequest): ApiKey {
  return verifyL2(request, state.now(), (key) => state.accounts.key(key));
}

/**
 * Whose private data a GET may read: the L2 key's account, or, only on this loopback desk, the one named by
 * `X-Paper-Owner` (EOA or bound wallet), so that a script can read an account as its owner.
 */
export function reader(state: VenueState, request: HttpRequest): Account {
  const owner = request.header("x-paper-owner");
  const account =
    owner === undefined
      ? state.accounts.get(signedIn(state, request).account)
      : state.accounts.byOwner(owner);
  if (account === null) throw unauthorized();
  return account;
}
