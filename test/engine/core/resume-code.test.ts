import { describe, expect, test } from "vitest";
import type { CodeStep } from "../../../src/engine/api/requests.ts";
import { deskView } from "../../../src/engine/core/desk-view.ts";
import { canonicalState } from "../../../src/engine/state/digest.ts";
import { type CoreDesk, firstMs, openCoreDesk, trader } from "../support/core-desk.ts";
import { foldedState, refold } from "../support/refold.ts";
import { testSettings } from "../support/settings.ts";

const lockMs = 900_000;
const settings = testSettings({ resumeCode: { lockMs } });
const { resumeWaitMs, resumeTtlMs } = settings;
const other = { userId: 8, chatId: 8 };
/** The step that a code of the first moment belongs to. */
const step = Math.floor(firstMs / 30_000);

function ask(desk: CoreDesk, actor = trader) {
  const request = { do: "ask-resume", actor, commandId: `tg:${desk.nowMs}` } as const;
  const offer = desk.request("ask-resume", request).value;
  if (!offer.ok) throw new TypeError(`no offer: ${offer.error.code}`);
  return offer.value.nonce;
}

/** Killed, with an offer whose time has come. */
function offered(desk = openCoreDesk(settings)) {
  desk.kill();
  const nonce = ask(desk);
  desk.nowMs += resumeWaitMs;
  return { desk, nonce };
}

function type(desk: CoreDesk, code: CodeStep, actor = trader) {
  return desk.request("confirm-resume", { do: "resume-with-code", actor, code }).value;
}

function guess(desk: CoreDesk, times: number): (string | null)[] {
  return Array.from({ length: times }, () => {
    const result = type(desk, "wrong");
    return result.ok ? null : result.error.code;
  });
}

/** After a restart, with the whole ledger, so that it can be restarted again. */
function restarted(desk: CoreDesk): CoreDesk {
  const again = refold(desk);
  again.facts.push(...desk.facts);
  return again.start();
}

const locks = (desk: CoreDesk) => desk.notices().filter((body) => body.kind === "resume.locked");

describe("resuming with a one-time code", () => {
  test("the button alone is refused at every moment of the offer, the code resumes (O8)", () => {
    const { desk, nonce } = offered();
    const press = { do: "confirm-resume", actor: trader, nonce } as const;
    for (const waited of [0, resumeTtlMs - 1, 1]) {
      desk.nowMs += waited;
      expect(desk.request("confirm-resume", press).value).toEqual({
        ok: false,
        error: { code: "resume_needs_code" },
      });
    }
    expect(desk.state.killed).not.toBeNull();
    ask(desk);
    desk.nowMs += resumeWaitMs;
    expect(type(desk, step)).toEqual({ ok: true, value: null });
    expect(desk.state.killed).toBeNull();
    expect(desk.notices().at(-1)).toEqual({ kind: "resumed", byUserId: trader.userId });
    desk.nowMs += 1;
    expect(desk.quote({}).ok).toBe(true);
  });

  test.each([
    [-1, "resume_too_soon"],
    [resumeTtlMs, "resume_not_asked"],
  ])("a good code %d ms after the wait is %s, and neither used up nor counted", (late, code) => {
    const { desk } = offered();
    desk.nowMs += late;
    expect(type(desk, step)).toMatchObject({ ok: false, error: { code } });
    expect(type(desk, "wrong")).toMatchObject({ ok: false, error: { code } });
    expect(desk.state.resumeCodes).toEqual({ lastStep: null, refused: 0, lock: null });
    ask(desk);
    desk.nowMs += resumeWaitMs;
    expect(type(desk, step).ok).toBe(true);
  });

  test("nothing is said of a code without an own open offer: not asked, somebody else's, trading on", () => {
    const desk = openCoreDesk(settings);
    const none = { code: "not_killed", subject: "code" } as const;
    expect(type(desk, step)).toEqual({ ok: false, error: none });
    desk.kill();
    for (const code of [step, "wrong"] as const) {
      expect(type(desk, code)).toMatchObject({ error: { code: "resume_not_asked" } });
    }
    ask(desk);
    desk.nowMs += resumeWaitMs;
    for (const actor of [other, { userId: 7, chatId: 8 }, { userId: 8, chatId: 7 }]) {
      expect(type(desk, step, actor)).toMatchObject({ error: { code: "resume_not_asked" } });
      expect(type(desk, "wrong", actor)).toMatchObject({ error: { code: "resume_not_asked" } });
    }
    expect(desk.state.resumeCodes.refused).toBe(0);
    expect(desk.state.killed).not.toBeNull();
  });

  test("a kill by somebody else takes the offer away: the code is not used", () => {
    const desk = openCoreDesk(settings);
    desk.run({ kind: "ledger.late", detail: "slow disk" });
    ask(desk);
    desk.nowMs += resumeWaitMs;
    desk.request("kill", { do: "kill", byUserId: other.userId, note: "no" });
    expect(type(desk, step)).toMatchObject({ error: { code: "resume_not_asked" } });
    expect(desk.state.killed).toMatchObject({ byUserId: other.userId });
    expect(desk.state.resumeCodes.lastStep).toBeNull();
  });

  test("a halt needs it too", () => {
    const desk = openCoreDesk(
      testSettings({ mode: "live", startHalted: true, resumeCode: { lockMs } }),
    );
    ask(desk);
    desk.nowMs += resumeWaitMs;
    expect(type(desk, "wrong")).toMatchObject({ error: { code: "resume_code_wrong", limit: 4 } });
    expect(type(desk, step).ok).toBe(true);
    expect(desk.quote({}).ok).toBe(true);
  });

  test("/status says whether it is on, and warns of a live desk without it", () => {
    const extra = { catalogAtMs: null, warnings: [], framesInvalid: 0 };
    const live = (resumeCode: typeof settings.resumeCode) => {
      const of = testSettings({ mode: "live", resumeCode });
      return deskView(openCoreDesk(of).state, of, firstMs, extra);
    };
    expect(live({ lockMs })).toMatchObject({ resumeNeedsCode: true, warnings: [] });
    expect(live(null)).toMatchObject({ resumeNeedsCode: false });
    expect(live(null).warnings.join()).toContain("no totp_secret");
    expect(deskView(openCoreDesk().state, testSettings(), firstMs, extra).warnings).toEqual([]);
  });

  test("without the setting a code is nothing: only the button resumes", () => {
    const { desk, nonce } = offered(openCoreDesk());
    expect(type(desk, step)).toMatchObject({ error: { code: "resume_not_asked" } });
    const press = { do: "confirm-resume", actor: trader, nonce } as const;
    expect(desk.request("confirm-resume", press).value.ok).toBe(true);
  });
});

describe("a code is used once (X7)", () => {
  test("the same step and earlier ones are refused as used and counted, also after a restart", () => {
    const { desk } = offered();
    expect(type(desk, step).ok).toBe(true);
    const again = restarted(desk);
    for (const [one, used] of [desk, again].entries()) {
      used.kill();
      ask(used);
      used.nowMs += resumeWaitMs;
      for (const code of [step, step - 1]) {
        expect(type(used, code), `desk ${one}`).toMatchObject({
          ok: false,
          error: { code: "resume_code_used" },
        });
      }
      expect(used.state.killed).not.toBeNull();
      expect(used.state.resumeCodes.refused).toBe(2);
      expect(type(used, step + 1).ok).toBe(true);
      expect(used.state.resumeCodes).toEqual({ lastStep: step + 1, refused: 0, lock: null });
    }
  });

  test("its step is in the ledger before the resume, in one step", () => {
    const { desk } = offered();
    const seq = desk.facts.length;
    type(desk, step);
    expect(desk.facts.slice(seq).map(({ fact }) => fact)).toMatchObject([
      { kind: "resume.code-used", step },
      { kind: "trading.resumed", byUserId: trader.userId },
      { kind: "notice.raised" },
    ]);
  });

  test("replaying a code that was used locks like guessing does", () => {
    const { desk } = offered();
    type(desk, step);
    offered(desk);
    const codes = Array.from({ length: 5 }, () => type(desk, step));
    expect(codes.map((result) => (result.ok ? null : result.error.code))).toEqual([
      ...Array.from({ length: 4 }, () => "resume_code_used"),
      "resume_code_locked",
    ]);
    expect(locks(desk)).toHaveLength(1);
  });
});

describe("guessing (X7)", () => {
  test("the fifth wrong code locks: a good one does not help, everybody is told once", () => {
    const { desk } = offered();
    expect(guess(desk, 5)).toEqual([
      ...Array.from({ length: 4 }, () => "resume_code_wrong"),
      "resume_code_locked",
    ]);
    expect(type(desk, step)).toEqual({
      ok: false,
      error: { code: "resume_code_locked", limit: lockMs },
    });
    expect(guess(desk, 20).every((code) => code === "resume_code_locked")).toBe(true);
    expect(locks(desk)).toEqual([
      { kind: "resume.locked", byUserId: trader.userId, forMs: lockMs },
    ]);
    expect([...desk.state.notices.values()].at(-1)?.chatId).toBeNull();
    const extra = { catalogAtMs: null, warnings: [], framesInvalid: 0 };
    const warned = (atMs: number) => deskView(desk.state, settings, atMs, extra).warnings;
    expect(warned(desk.nowMs)).toEqual([
      "too many wrong codes: none is taken to resume for 15 min",
    ]);
    expect(warned(desk.nowMs + lockMs)).toEqual([]);
    expect(desk.state.killed).not.toBeNull();
    expect(desk.state.resumeCodes.lastStep).toBeNull();
  });

  test("of two traders together are counted together", () => {
    const { desk } = offered();
    guess(desk, 4);
    ask(desk, other);
    desk.nowMs += resumeWaitMs;
    expect(type(desk, "wrong", other)).toMatchObject({ error: { code: "resume_code_locked" } });
    ask(desk);
    desk.nowMs += resumeWaitMs;
    expect(type(desk, step)).toMatchObject({ error: { code: "resume_code_locked" } });
  });

  test("count and lock survive a restart, and the lock ends by itself", () => {
    const { desk } = offered();
    expect(guess(desk, 3)).not.toContain("resume_code_locked");
    const second = restarted(desk);
    expect(guess(second, 2)).toEqual(["resume_code_wrong", "resume_code_locked"]);
    const third = restarted(second);
    third.nowMs += lockMs - 1;
    ask(third);
    expect(type(third, step)).toEqual({
      ok: false,
      error: { code: "resume_code_locked", limit: 1 },
    });
    third.nowMs += resumeWaitMs;
    expect(guess(third, 1)).toEqual(["resume_code_wrong"]);
    expect(third.state.resumeCodes).toMatchObject({ refused: 1, lock: null });
    expect(type(third, step + 30).ok).toBe(true);
  });

  test("a lock that a clock which was ahead began lasts no longer than it says after a restart", () => {
    const { desk } = offered();
    desk.nowMs += 400 * 86_400_000;
    ask(desk);
    desk.nowMs += resumeWaitMs;
    guess(desk, 5);
    const again = refold(desk);
    again.nowMs = firstMs + 60_000;
    again.start();
    expect(type(again, step)).toEqual({
      ok: false,
      error: { code: "resume_code_locked", limit: lockMs },
    });
    again.nowMs += lockMs;
    ask(again);
    again.nowMs += resumeWaitMs;
    expect(type(again, step).ok).toBe(true);
  });

  test("a good code starts the count anew", () => {
    const { desk } = offered();
    guess(desk, 4);
    expect(type(desk, step).ok).toBe(true);
    offered(desk);
    expect(guess(desk, 4)).not.toContain("resume_code_locked");
    expect(type(desk, step + 1).ok).toBe(true);
  });

  test("a kill works while codes are locked", () => {
    const { desk } = offered();
    guess(desk, 4);
    type(desk, step);
    offered(desk);
    guess(desk, 5);
    desk.drain();
    desk.kill("now");
    expect(desk.drain().some((effect) => effect.kind === "orders.cancel-all")).toBe(true);
  });

  test.each([
    [30_000, false],
    [30_001, true],
    [-45_000, true],
  ])("a clock that is %d ms off is named: %s", (offsetMs, named) => {
    const { desk } = offered();
    desk.run({ kind: "clock.measured", offsetMs });
    const clock = named ? { subject: "clock", wanted: Math.abs(offsetMs) } : {};
    expect(type(desk, "wrong")).toEqual({
      ok: false,
      error: { code: "resume_code_wrong", limit: 4, ...clock },
    });
  });

  test("the fold of its facts is the state that decided", () => {
    const { desk } = offered();
    guess(desk, 3);
    type(desk, step);
    offered(desk);
    guess(desk, 5);
    expect(foldedState(desk).resumeCodes).toEqual(desk.state.resumeCodes);
    expect(canonicalState(foldedState(desk))).toBe(canonicalState(desk.state));
  });
});
