import { expect, test } from "vitest";
import { Secret } from "../../config/secrets.ts";
import { totpCode, totpStep } from "../../src/bot/totp.ts";
import { codeJudge } from "../../src/cli/code-judge.ts";
import { openCoreDesk } from "../engine/support/core-desk.ts";

const text = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

test("codes are judged at the venue's time as soon as it is known, before that at ours", () => {
  const desk = openCoreDesk();
  const judge = codeJudge(new Secret(text), {
    nowMs: () => desk.nowMs,
    venueAheadMs: () => desk.state.live.clockOffsetMs,
  });
  const ours = totpStep(desk.nowMs);
  expect(judge(totpCode(text, ours))).toBe(ours);
  for (const offsetMs of [300_000, -300_000]) {
    desk.run({ kind: "clock.measured", offsetMs });
    const right = totpStep(desk.nowMs + offsetMs);
    expect(judge(totpCode(text, right))).toBe(right);
    expect(judge(totpCode(text, ours))).toBe("wrong");
  }
  // A reading that failed leaves the last one: our clock has not moved against the venue's since.
  desk.run({ kind: "clock.measured", offsetMs: null });
  expect(judge(totpCode(text, totpStep(desk.nowMs - 300_000)))).not.toBe("wrong");
});
