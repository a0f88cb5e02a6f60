import { describe, expect, test } from "vitest";
import type { HeartbeatPort } from "../../../src/engine/ports/heartbeat.ts";
import { HeartbeatGuard } from "../../../src/engine/runtime/heartbeat-guard.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";

/** Guard over a pure desk; the port only writes down what it is told. */
function guardOver(desk: CoreDesk) {
  const told: boolean[] = [];
  const port: HeartbeatPort = {
    progress: () => undefined,
    setArmed: (armed) => told.push(armed),
    listen: () => undefined,
    close: () => Promise.resolve(),
  };
  const stepper = { run: () => undefined } as unknown as ConstructorParameters<
    typeof HeartbeatGuard
  >[2];
  return { guard: new HeartbeatGuard(port, desk.state, stepper), told };
}

const resting = {
  limit: priceOf("0.30"),
  amount: { unit: "shares", value: sharesOf("10") },
} as const;

describe("when the venue's dead-man switch is armed", () => {
  test("not before anything may rest, and not by orders that cannot", () => {
    const desk = openCoreDesk();
    const { guard, told } = guardOver(desk);
    guard.tick();
    desk.place({});
    guard.tick();
    expect(told).toEqual([]);
  });

  test("it stays armed when nothing rests any more: a lapsed switch would sweep away the next order", () => {
    const desk = openCoreDesk();
    const { guard, told } = guardOver(desk);
    const oid = desk.place(resting).clientOid;
    guard.tick();
    desk.run({
      kind: "post.finished",
      clientOid: oid,
      outcome: { kind: "blocked", denial: { code: "busy" } },
    });
    expect(desk.order(oid).status).toBe("rejected");
    guard.tick();
    expect(told).toEqual([true]);
  });

  test("a later run arms it from its first tick, for the one before may have", () => {
    const desk = openCoreDesk();
    desk.place(resting);
    const later = guardOver(desk);
    later.guard.tick();
    expect(later.told).toEqual([true]);
  });

  test("a killed desk lets it run out, a resumed one beats again before anything is placed", () => {
    const desk = openCoreDesk();
    const { guard, told } = guardOver(desk);
    desk.place(resting);
    guard.tick();
    desk.kill();
    guard.tick();
    desk.state.killed = null;
    guard.tick();
    expect(told).toEqual([true, false, true]);
  });
});
