import { makeTape } from "../../bench/support/frame-tape.ts";
import type { TapeNote } from "../../src/adapters/tape/tape-row.ts";
import { startMs } from "../adapters/tape/frames.ts";

// A stream of a few markets, and what can happen to it.

const marketCount = 4;
export const tape = makeTape({ markets: marketCount, frames: 600, hashes: true });
const opening = tape.opening.map((frame) => frame.toString("utf8"));
export const stream = [...opening, ...tape.frames.map((frame) => frame.toString("utf8"))];

export type Step = string | TapeNote;

/** Something that happens at one place of a stream. */
type Trouble = { readonly at: number; readonly kind: (typeof kinds)[number] };
export const kinds = [
  "drop",
  "repeat",
  "again",
  "swap",
  "size",
  "best",
  "bests",
  "alone",
  "trade",
  "book",
  "tick",
  "link",
  "one-link",
  "gap",
  "own-book",
  "price",
  "token",
  "spaces",
  "moment",
  "group",
  "half-group",
  "early",
  "off-tick",
  "turned",
  "stranger",
  "wrong-moment",
  "wrong-half-group",
  "wrong-group",
  "wrong-other-half",
  "unhashed-early",
  "coarse",
] as const;

/** Those that have to do with moments and groups, or with where a block begins. */
export const later = kinds.slice(kinds.indexOf("moment"));

const timestamp = /"timestamp":"\d+"/;
const hashes = /"hash":"[0-9a-f]*"/g;
const entries = /\[(\{[^}]*\}),(\{[^}]*\})\]/;

/** The frame before this place that speaks of the same market. */
function before(steps: readonly Step[], place: number): string {
  const texts = steps.slice(0, place + 1).map((step) => (typeof step === "string" ? step : ""));
  const here = texts.at(-1) ?? "";
  const market = here.slice(0, here.indexOf(","));
  return texts.slice(0, -1).findLast((text) => text.startsWith(market)) ?? here;
}

const withoutBests = (here: string) =>
  here
    .replaceAll(/"best_bid":"[^"]*"/g, '"best_bid":"0"')
    .replaceAll(/"best_ask":"[^"]*"/g, '"best_ask":"1"');

/** The frame with the moment of an earlier one, and with its first `count` hashes. */
function atMoment(here: string, earlier: string, count: number): string {
  const taken = (earlier.match(hashes) ?? []).slice(0, count);
  return here
    .replace(timestamp, timestamp.exec(earlier)?.[0] ?? "")
    .replaceAll(hashes, (own) => taken.shift() ?? own);
}

export function trouble(steps: Step[], { at, kind }: Trouble): void {
  const place = at % steps.length;
  const here = steps[place];
  if (typeof here !== "string") return;
  const market = tape.markets[at % marketCount];
  const head = {
    market: market?.conditionId,
    asset_id: market?.tokenIds[0],
    timestamp: "1780000000099",
  };
  switch (kind) {
    case "drop":
      steps.splice(place, 1);
      return;
    case "repeat":
      steps.splice(place, 0, here);
      return;
    case "again":
      steps.splice(place + 6, 0, here);
      return;
    case "swap":
      steps.splice(place, 2, ...steps.slice(place, place + 2).toReversed());
      return;
    case "size":
      steps[place] = here.replace(/"size":"[^"]*"/, '"size":"1234567.891"');
      return;
    case "best":
      steps[place] = here.replace(/"best_bid":"[^"]*"/, '"best_bid":"0"');
      return;
    case "bests":
      steps[place] = withoutBests(here);
      return;
    case "alone":
      // Of one token, with its ask alone right: nothing in the message itself contradicts it.
      steps[place] = here
        .replace(/("price_changes":\[\{[^}]*\}),\{[^}]*\}/, "$1")
        .replace(/"best_bid":"[^"]*"/, '"best_bid":"0.001"');
      return;
    case "trade":
      steps.splice(
        place,
        0,
        JSON.stringify({
          ...head,
          event_type: "last_trade_price",
          price: "0.5",
          size: "7",
          side: "BUY",
        }),
      );
      return;
    case "book":
      steps.splice(place, 0, opening[at % marketCount] ?? "");
      return;
    case "tick":
      steps.splice(
        place,
        0,
        JSON.stringify({ ...head, event_type: "tick_size_change", new_tick_size: "0.01" }),
      );
      return;
    case "link":
      steps.splice(place, 0, { note: "link", link: "lost" });
      return;
    case "one-link":
      steps.splice(place, 0, { note: "link", link: "lost", markets: [String(head.market)] });
      return;
    case "gap":
      steps.splice(place, 0, { note: "gap", reason: "overload", lost: 3, fromMs: startMs });
      return;
    case "own-book":
      steps.splice(place, 0, { note: "book", frame: opening[at % marketCount] ?? "" });
      return;
    case "price":
      steps[place] = here.replace(/"price":"[^"]*"/, '"price":"0"');
      return;
    case "token":
      steps[place] = here.replaceAll(/"asset_id":"\d/g, '"asset_id":"x');
      return;
    case "spaces":
      steps[place] = here.replace(",", " , ");
      return;
    case "moment":
      steps[place] = atMoment(here, before(steps, place), 0);
      return;
    case "group":
      steps[place] = atMoment(here, before(steps, place), 2);
      return;
    case "half-group":
      steps[place] = atMoment(here, before(steps, place), 1);
      return;
    case "early":
      steps[place] = here.replace(timestamp, '"timestamp":"1780000000050"');
      return;
    case "off-tick":
      steps[place] = here.replaceAll(/"price":"([^"]*)"/g, (_, own: string) => {
        // Both tokens still say the same: a little up for one is a little down for the other.
        const by = own === /"price":"([^"]*)"/.exec(here)?.[1] ? 5 : -5;
        return `"price":"${(Math.round(Number(own) * 10_000) + by) / 10_000}"`;
      });
      return;
    case "turned":
      steps[place] = here.replace(entries, "[$2,$1]");
      return;
    case "stranger":
      steps[place] = here
        .replace(entries, "[$1]")
        .replace(/"asset_id":"\d+"/, `"asset_id":"${"77".repeat(38)}"`);
      return;
    case "wrong-other-half": {
      const earlier = before(steps, place);
      steps[steps.indexOf(earlier)] = withoutBests(earlier);
      const turn = (text: string) => text.replace(entries, "[$2,$1]");
      steps[place] = turn(atMoment(turn(here), turn(earlier), 1));
      return;
    }
    case "wrong-moment":
    case "wrong-half-group":
    case "wrong-group": {
      // What the group before claims is wrong; that shows when it ends, and it ends with another hash.
      const earlier = before(steps, place);
      steps[steps.indexOf(earlier)] = withoutBests(earlier);
      const count = { "wrong-moment": 0, "wrong-half-group": 1, "wrong-group": 2 }[kind];
      steps[place] = atMoment(here, earlier, count);
      return;
    }
    case "unhashed-early": {
      const earlier = before(steps, place);
      const bare = (text: string) => text.replaceAll(hashes, '"hash":""');
      steps[steps.indexOf(earlier)] = bare(earlier);
      steps[place] = bare(here).replace(timestamp, '"timestamp":"1780000000050"');
      return;
    }
    case "coarse":
      // A book whose levels lie between the ticks that it names; what comes then is off the tick, though the ladder has room.
      steps.splice(
        place,
        0,
        String(opening[at % marketCount])
          .replace(timestamp, timestamp.exec(before(steps, place))?.[0] ?? "")
          .replace('"tick_size":"0.001"', '"tick_size":"0.01"'),
      );
      return;
  }
}
