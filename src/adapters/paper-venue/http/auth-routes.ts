import { verifyL1 } from "../exchange/credentials.ts";
import type { ApiKey } from "../exchange/records.ts";
import { badRequest } from "../exchange/venue-error.ts";
import type { VenueState } from "../exchange/venue-state.ts";
import type { HttpRequest, Route } from "./route.ts";
import { reply } from "./route.ts";
import { signedIn } from "./session.ts";

function keyBody(key: ApiKey): Record<string, string> {
  return { apiKey: key.key, secret: key.secret, passphrase: key.passphrase };
}

/** The first verified L1 request of an EOA opens its account. */
function opened(
  state: VenueState,
  request: HttpRequest,
): { readonly address: string; readonly nonce: string } {
  const signed = verifyL1(request.header, state.now());
  state.act((work) => {
    const account = state.accounts.open(signed.address);
    if (account !== null) work.accounts.add(account);
  });
  return signed;
}

/** Credentials: created and derived with an L1 signature, one key for each EOA and nonce. */
export function authRoutes(state: VenueState): Route[] {
  return [
    {
      method: "POST",
      path: "/auth/api-key",
      handle: (request) => {
        const { address, nonce } = opened(state, request);
        if (state.accounts.keyOf(address, nonce) !== null) {
          throw badRequest("Could not create api key");
        }
        return state.act((work) => {
          const key = state.accounts.createKey(address, nonce);
          work.keys.push(key);
          return reply(keyBody(key));
        });
      },
    },
    {
      method: "GET",
      path: "/auth/derive-api-key",
      handle: (request) => {
        const { address, nonce } = opened(state, request);
        const key = state.accounts.keyOf(address, nonce);
        if (key === null) throw badRequest("Could not derive api key!");
        return reply(keyBody(key));
      },
    },
    {
      method: "GET",
      path: "/auth/api-keys",
      handle: (request) => {
        const { account } = signedIn(state, request);
        return reply({ apiKeys: state.accounts.keysOf(account).map((key) => key.key) });
      },
    },
  ];
}
