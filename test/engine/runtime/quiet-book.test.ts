import { afterEach, beforeEach, expect, test } from "vitest";
import { ageMs } from "../../../src/engine/domain/market-book.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { standing } from "../support/standing-world.ts";

const resting = {
  conditionId: standing.conditionId,
  limit: priceOf("0.45"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

let desk: LiveDesk;
beforeEach(async () => {
  desk = await openLiveDesk();
});
afterEach(async () => desk.close());

const bookReads = async () => (await desk.requests("GET", /^\/book$/)).length;
const bookAgeMs = () => {
  const book = desk.engine.state.live.books.get(standing.conditionId);
  // A book that is being read anew has no age: it is not quiet, and the stream will bring it. The engine has a clock of its own, which
  // may be a millisecond behind the wall.
  return book?.status === "live" ? ageMs(book, desk.engine.deps.clock.nowMs()) : 0;
};

test("between press and order a young book is not read, and a quiet one once (P6)", async () => {
  const young = await desk.card(resting);
  const before = await bookReads();
  expect(bookAgeMs()).toBeLessThan(desk.engine.deps.bookRefreshAgeMs);
  await desk.press(young.nonce);
  expect(await bookReads()).toBe(before);

  const quiet = await desk.card({ ...resting, limit: priceOf("0.44") });
  const shown = await bookReads();
  await until("the book is quiet", () => bookAgeMs() > desk.engine.deps.bookRefreshAgeMs);
  const pressedAtMs = desk.engine.deps.clock.nowMs();
  await desk.press(quiet.nonce);
  const judgedAt = desk.engine.state.live.books.get(standing.conditionId)?.confirmedAtMs;
  expect(judgedAt).toBeGreaterThanOrEqual(pressedAtMs);
  expect(await bookReads()).toBe(shown + 1);
  await until("both rest", async () => (await desk.requests("POST", /^\/order$/)).length === 2);
});
