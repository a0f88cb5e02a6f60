import { describe, expect, test } from "vitest";
import type { RejectReason } from "../../../src/engine/domain/reasons.ts";
import type { PostOutcome, QueryOutcome } from "../../../src/engine/protocol/venue-report.ts";
import { exposureOf } from "../../../src/engine/state/exposure.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { refold } from "../support/refold.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const resting = {
  limit: priceOf("0.40"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;
const reserved = 8_000_000;

function refused(reason: RejectReason = "balance") {
  const desk = openCoreDesk();
  const order = desk.place(resting);
  desk.drain();
  const outcome: PostOutcome = { kind: "rejected", reason, detail: "HTTP 400" };
  desk.run({ kind: "post.finished", clientOid: order.clientOid, outcome });
  return { desk, oid: order.clientOid };
}

function looked(
  desk: CoreDesk,
  oid: string,
  outcome: QueryOutcome,
  fills: ReturnType<typeof fillOf>[] | null = [],
): void {
  desk.run({ kind: "query.finished", clientOid: oid, outcome, fills });
}

describe("an order that the venue refused", () => {
  test("keeps its reservation until one look by hash finds nothing, which is asked for at once", () => {
    const { desk, oid } = refused();
    expect(desk.drain()).toEqual([{ kind: "order.query", clientOid: oid }]);
    expect(exposureOf(desk.state).locked).toBe(reserved);
    looked(desk, oid, { kind: "absent" });
    expect(desk.order(oid)).toMatchObject({ status: "rejected", rejectReason: "balance" });
    expect(exposureOf(desk.state).locked).toBe(0);
    expect(desk.notices().at(-1)).toMatchObject({ kind: "order.outcome", result: "rejected" });
  });

  test.each<readonly [string, QueryOutcome, [] | null]>([
    ["a look that failed", { kind: "failed", detail: "500" }, []],
    ["an absence whose trades could not be read", { kind: "absent" }, null],
  ])("%s is never read as empty: it is asked for again", (_, outcome, fills) => {
    const { desk, oid } = refused();
    for (let i = 0; i < 10; i++) {
      looked(desk, oid, outcome, fills);
      expect(exposureOf(desk.state).locked).toBe(reserved);
      desk.drain();
      desk.pass(30_000, 1_000);
      expect(desk.drain()).toContainEqual({ kind: "order.query", clientOid: oid });
    }
    looked(desk, oid, { kind: "absent" });
    expect(desk.order(oid).status).toBe("rejected");
  });

  test("lives when the look finds it resting", () => {
    const { desk, oid } = refused();
    looked(desk, oid, { kind: "found", order: reportOf(desk.order(oid), "live") });
    expect(desk.order(oid)).toMatchObject({ status: "live", refusal: null });
    expect(exposureOf(desk.state).locked).toBe(reserved);
  });

  test("its trades count, whatever the refusal said (V17)", () => {
    const { desk, oid } = refused("no_match");
    looked(desk, oid, { kind: "absent" }, [fillOf(desk.order(oid), "t", 20_000_000)]);
    expect(desk.order(oid)).toMatchObject({ status: "filled", filled: 20_000_000 });
  });

  test("a killed one that the venue still shows was refused, not canceled", () => {
    const { desk, oid } = refused("no_match");
    looked(desk, oid, { kind: "found", order: reportOf(desk.order(oid), "ended") });
    expect(desk.order(oid)).toMatchObject({ status: "rejected", rejectReason: "no_match" });
    expect(desk.notices().at(-1)).toMatchObject({ result: "nothing_filled" });
  });

  test("is never sent again", () => {
    const { desk, oid } = refused();
    looked(desk, oid, { kind: "absent" });
    desk.pass(60_000, 500);
    expect(desk.drain().some((effect) => effect.kind === "order.post")).toBe(false);
  });

  test("survives a restart as refused, not as unknown: the same look ends it", () => {
    const before = refused("min_size");
    const desk = refold(before.desk);
    desk.run({ kind: "run.start" });
    expect(desk.order(before.oid)).toMatchObject({ status: "in_flight" });
    desk.run({ kind: "tick" });
    expect(desk.drain()).toContainEqual({ kind: "order.query", clientOid: before.oid });
    looked(desk, before.oid, { kind: "absent" });
    expect(desk.order(before.oid)).toMatchObject({ status: "rejected", rejectReason: "min_size" });
  });

  test("a key that was derived again: one look, then the same bytes once more", () => {
    const desk = openCoreDesk();
    const { clientOid } = desk.place(resting);
    const outcome = {
      kind: "not_taken",
      reason: "unauthorized",
      retryAfterMs: null,
      detail: "",
    } as const;
    desk.run({ kind: "post.finished", clientOid, outcome });
    expect(desk.state.halt).toBeNull();
    desk.pass(600);
    desk.drain();
    looked(desk, clientOid, { kind: "absent" });
    expect(desk.drain()).toEqual([{ kind: "order.post", clientOid }]);
  });
});
