import { type ClobClient, errorText, getRepeatedly } from "./clob-client.ts";
import type { HttpClient } from "./http-client.ts";
import { fieldsOf, freeText, jsonOf } from "./wire.ts";

/** Whether the venue takes orders from this place and of this account; `unknown` when it could not be read. */
export type AccessReport = {
  /** By the address that the venue sees us under. */
  readonly place:
    | { readonly state: "open" }
    | { readonly state: "blocked"; readonly country: string }
    | { readonly state: "unknown"; readonly detail: string };
  readonly account:
    | { readonly state: "open" }
    /** Only orders that close positions; nothing at all; or our key is not accepted. */
    | { readonly state: "closed_only" | "banned" | "unauthorized" }
    | { readonly state: "unknown"; readonly detail: string };
};

const answerBytesMax = 65_536;
const countryCharsMax = 40;

/** Both checks at once (polymarket-trading 2.4). Never throws: what cannot be read is `unknown`, not open. */
export async function readAccess(clob: ClobClient, geoblock: HttpClient): Promise<AccessReport> {
  const [place, account] = await Promise.all([readPlace(geoblock), readAccount(clob)]);
  return { place, account };
}

async function readPlace(geoblock: HttpClient): Promise<AccessReport["place"]> {
  try {
    const answer = await getRepeatedly(() =>
      geoblock.request({ method: "GET", path: "/api/geoblock", maxBytes: answerBytesMax }),
    );
    const fields = answer.status === 200 ? fieldsOf(jsonOf(answer.body)) : null;
    const blocked = fields?.["blocked"];
    if (blocked === false) return { state: "open" };
    if (blocked !== true) return { state: "unknown", detail: errorText(answer) };
    const country = freeText(fields?.["country"]).replaceAll(/[^\p{L}\p{N} -]/gu, "");
    return { state: "blocked", country: country.slice(0, countryCharsMax) };
  } catch (error) {
    return { state: "unknown", detail: messageOf(error) };
  }
}

async function readAccount(clob: ClobClient): Promise<AccessReport["account"]> {
  try {
    const answer = await clob.call({ method: "GET", path: "/auth/ban-status/closed-only" });
    const fields = fieldsOf(jsonOf(answer.body));
    if (/address banned/i.test(errorText(answer))) return { state: "banned" };
    if (answer.status === 401) return { state: "unauthorized" };
    const closedOnly = answer.status === 200 ? fields?.["closed_only"] : null;
    if (closedOnly === false) return { state: "open" };
    if (closedOnly === true) return { state: "closed_only" };
    return { state: "unknown", detail: errorText(answer) };
  } catch (error) {
    return { state: "unknown", detail: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "unreadable failure";
}
