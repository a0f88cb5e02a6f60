import { afterEach, describe, expect, test } from "vitest";
import type { ActionRequest, ActionView } from "../../../src/engine/api/actions.ts";
import type { Shares } from "../../../src/engine/domain/numbers.ts";
import { TestFailure, trader } from "../support/core-desk.ts";
import { type DeskOver, type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { dollars } from "../support/settings.ts";
import { standing, standingRunners } from "../support/standing-world.ts";

let desk: LiveDesk;
afterEach(() => desk.close());

async function open(over: DeskOver = {}): Promise<void> {
  desk = await openLiveDesk(over);
}

const shares = (amount: number) => (amount * 1_000_000) as Shares;
const split = (amount: number): ActionRequest => ({
  kind: "split",
  conditionId: standing.conditionId,
  size: shares(amount),
});
const merge: ActionRequest = { kind: "merge", conditionId: standing.conditionId, size: null };

let serial = 0;

async function press(request: ActionRequest): Promise<ActionView> {
  serial++;
  const card = await desk.engine.quoteAction(trader, `q${serial}`, request);
  if (!card.ok) throw new TestFailure(JSON.stringify(card.error));
  const outcome = await desk.engine.confirmAction(trader, `c${serial}`, card.value.nonce);
  if (outcome.kind !== "accepted") throw new TestFailure(JSON.stringify(outcome.denial));
  return outcome.action;
}

function look(actionId: string): ActionView | undefined {
  return desk.engine.actions().find((one) => one.actionId === actionId);
}

async function ended(actionId: string): Promise<ActionView> {
  await until("the call to end", () => {
    const status = look(actionId)?.status;
    return status === "confirmed" || status === "failed";
  });
  return look(actionId) as ActionView;
}

function held(tokenId: string): number {
  return desk.engine.state.positions.get(tokenId)?.confirmed ?? 0;
}

/** The venue's own account: dollars and shares as its matching engine keeps them. */
function atVenue(tokenId: string): number {
  const { signer } = desk.polymarket.venue.account;
  return Number(desk.venue.state.accounts.get(signer)?.shares(tokenId) ?? 0n);
}

function cashAtVenue(): number {
  const { signer } = desk.polymarket.venue.account;
  return Number(desk.venue.state.accounts.get(signer)?.cash ?? 0n);
}

async function booksAgree(tokens: readonly string[]): Promise<void> {
  await until("cash to agree", () => desk.engine.state.cash === cashAtVenue());
  for (const tokenId of tokens)
    expect([tokenId, held(tokenId)]).toEqual([tokenId, atVenue(tokenId)]);
}

const [yes, no] = standing.outcomes.map((one) => one.tokenId) as [string, string];
const submits = () => desk.requests("POST", /^\/submit$/);

describe("through the relayer's protocol on the paper venue", () => {
  test.each([0, 1, 2, 3] as const)(
    "split and merge with account kind %i",
    async (signatureType) => {
      await open({ signatureType });
      const done = await ended((await press(split(30))).actionId);
      expect(done).toMatchObject({ status: "confirmed", gasUsd: 0 });
      await booksAgree([yes, no]);
      expect(held(yes)).toBe(shares(30));
      expect(await ended((await press(merge)).actionId)).toMatchObject({ status: "confirmed" });
      await booksAgree([yes, no]);
      expect(cashAtVenue()).toBe(dollars(1_000));
      expect(desk.notices().filter((one) => one.kind === "action.outcome")).toHaveLength(2);
    },
  );

  test("a redemption takes what a resolved market owes, when the venue does not pay by itself", async () => {
    await open({ autoRedeem: false });
    await ended((await press(split(20))).actionId);
    desk.venue.exchange.resolve(standing.conditionId, 0);
    await until("the claim", () => desk.engine.claims().length === 1);
    expect(desk.engine.claims()[0]?.paysUsd).toBe(dollars(20));
    const redeem = { kind: "redeem", conditionId: standing.conditionId } as const;
    expect(await ended((await press(redeem)).actionId)).toMatchObject({ status: "confirmed" });
    await booksAgree([yes, no]);
    expect(cashAtVenue()).toBe(dollars(1_000));
    expect(desk.engine.claims()).toEqual([]);
  });

  test("a market that was resolved while the desk was down can be redeemed, although nobody looks it up", async () => {
    await open({ autoRedeem: false });
    await ended((await press(split(20))).actionId);
    await desk.engine.stop();
    desk.venue.exchange.resolve(standing.conditionId, 1);
    desk = await desk.restart();
    await until("the claim", () => desk.engine.claims().length > 0);
    expect(desk.engine.claims()).toMatchObject([{ winner: "No", paysUsd: dollars(20) }]);
    const redeem = { kind: "redeem", conditionId: standing.conditionId } as const;
    expect(await ended((await press(redeem)).actionId)).toMatchObject({ status: "confirmed" });
    await booksAgree([yes, no]);
    expect(cashAtVenue()).toBe(dollars(1_000));
  });

  test("what the venue has paid by itself is no claim for long", async () => {
    await open();
    await ended((await press(split(20))).actionId);
    desk.venue.exchange.resolve(standing.conditionId, 0);
    await until("the settlement", () =>
      desk.notices().some((one) => one.kind === "market.settled"),
    );
    await until("the claim to go", () => desk.engine.claims().length === 0);
  });

  test("a convert moves NO into YES of the others", async () => {
    await open();
    const [first, second, third] = standingRunners.map((one) => one.conditionId) as [
      string,
      string,
      string,
    ];
    for (const conditionId of [first, second]) {
      const size = shares(10);
      await ended((await press({ kind: "split", conditionId, size })).actionId);
    }
    const before = cashAtVenue();
    const convert = { kind: "convert", conditionId: first, size: null } as const;
    expect(await ended((await press(convert)).actionId)).toMatchObject({ status: "confirmed" });
    expect(cashAtVenue()).toBe(before + dollars(10));
    const tokens = standingRunners.flatMap((one) => one.outcomes.map((outcome) => outcome.tokenId));
    await booksAgree(tokens);
    const got = standingRunners.find((one) => one.conditionId === third)?.outcomes[0].tokenId ?? "";
    expect(held(got)).toBe(shares(10));
  });

  test("a call that the contracts undo leaves the books as they were", async () => {
    await open();
    await ended((await press(split(10))).actionId);
    // Somebody else with the same key takes the shares away behind the desk's back.
    const { signer } = desk.polymarket.venue.account;
    const account = desk.venue.state.accounts.get(signer);
    account?.addShares(yes, -10_000_000n);
    const merged = await ended((await press({ ...merge, size: shares(10) })).actionId);
    expect(merged).toMatchObject({ status: "failed", failure: "reverted" });
    expect(held(no)).toBe(shares(10));
  });
});

describe("when the relayer's answer does not come", () => {
  test("after it took the call: found again by its tag, done once", async () => {
    await open();
    await desk.fault("drop-after", { method: "POST", path: "^/submit$", times: 1 });
    const action = await press(split(25));
    expect(await ended(action.actionId)).toMatchObject({ status: "confirmed" });
    await booksAgree([yes, no]);
    expect(held(yes)).toBe(shares(25));
  });

  test("before it took the call: the same bytes go again, done once", async () => {
    await open();
    await desk.fault("drop-before", { method: "POST", path: "^/submit$", times: 2 });
    const action = await press(split(25));
    expect(await ended(action.actionId)).toMatchObject({ status: "confirmed" });
    await booksAgree([yes, no]);
    expect(held(yes)).toBe(shares(25));
    expect((await submits()).length).toBeGreaterThanOrEqual(2);
  });

  test("a crash between sending and hearing back: the next start finds it, and sends nothing new", async () => {
    await open();
    await desk.fault("delay-answer", { method: "POST", path: "^/submit$", ms: 60_000, times: 1 });
    const action = await press(split(25));
    await until("the relayer to have it", () => atVenue(yes) === shares(25));
    desk = await desk.restart();
    expect(await ended(action.actionId)).toMatchObject({ status: "confirmed" });
    await booksAgree([yes, no]);
    expect(held(yes)).toBe(shares(25));
    expect(await submits()).toHaveLength(1);
  });

  test("a crash after the commit and before the first byte: sent once by the next start", async () => {
    await open();
    await desk.fault("drop-before", { method: "POST", path: "^/submit$", times: 1 });
    const action = await press(split(25));
    desk = await desk.restart();
    expect(await ended(action.actionId)).toMatchObject({ status: "confirmed" });
    await booksAgree([yes, no]);
    expect(held(yes)).toBe(shares(25));
  });
});

describe("kill, dry run, refusals", () => {
  test("a kill that comes before the first byte leaves nothing to send", async () => {
    await open();
    serial++;
    const card = await desk.engine.quoteAction(trader, `q${serial}`, split(10));
    if (!card.ok) throw new TestFailure(JSON.stringify(card.error));
    const confirming = desk.engine.confirmAction(trader, `c${serial}`, card.value.nonce);
    desk.engine.closeGate();
    const outcome = await confirming;
    if (outcome.kind === "accepted") {
      const end = await ended(outcome.action.actionId);
      expect(end).toMatchObject({ status: "failed", failure: "not_sent" });
    }
    expect(await submits()).toEqual([]);
    expect(cashAtVenue()).toBe(dollars(1_000));
  });

  test("a dry run signs, records and sends nothing", async () => {
    await open({ mode: "dry-run" });
    const action = await press(split(10));
    expect(await ended(action.actionId)).toMatchObject({ status: "failed", failure: "not_sent" });
    expect(await submits()).toEqual([]);
  });

  test("asking again with the same command gives the same call", async () => {
    await open();
    serial++;
    const card = await desk.engine.quoteAction(trader, `q${serial}`, split(10));
    if (!card.ok) throw new TestFailure(JSON.stringify(card.error));
    const first = await desk.engine.confirmAction(trader, "same", card.value.nonce);
    const second = await desk.engine.confirmAction(trader, "same", card.value.nonce);
    const id = (one: typeof first) => (one.kind === "accepted" ? one.action.actionId : "");
    expect(id(second)).toBe(id(first));
    await ended(id(first));
    expect(await submits()).toHaveLength(1);
  });
});
