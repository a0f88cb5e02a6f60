import { describe, expect, test } from "vitest";
import { matchTotp, newTotpSecret, totpCode, totpStep, totpUri } from "../../src/bot/totp.ts";

/** The secret of the RFCs' vectors: "12345678901234567890" in base32. */
const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

describe("one-time codes", () => {
  // RFC 6238, appendix B, SHA-1: eight digits there, of which an app shows the last six.
  test.each([
    [59, "94287082"],
    [1_111_111_109, "07081804"],
    [1_111_111_111, "14050471"],
    [1_234_567_890, "89005924"],
    [2_000_000_000, "69279037"],
    [20_000_000_000, "65353130"],
  ])("RFC 6238: at %d s the code ends %s", (seconds, eight) => {
    expect(totpCode(secret, totpStep(seconds * 1000))).toBe(eight.slice(2));
  });

  test("RFC 4226: the first ten counters", () => {
    const codes = Array.from({ length: 10 }, (_, counter) => totpCode(secret, counter));
    expect(codes.join(" ")).toBe(
      "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489",
    );
  });

  test("one step of drift each way is taken, two are not, and the step is told", () => {
    const atMs = 1_234_567_890_000;
    const now = totpStep(atMs);
    const told = [-2, -1, 0, 1, 2].map((by) => matchTotp(secret, totpCode(secret, now + by), atMs));
    expect(told).toEqual(["wrong", now - 1, now, now + 1, "wrong"]);
  });

  test.each(["", "00592", "0059240", "89005924", "005924 ", "٠٠٥٩٢٤", "００５９２４"])(
    "%j is wrong, whatever its digits mean",
    (typed) => {
      expect(matchTotp(secret, typed, 1_234_567_890_000)).toBe("wrong");
      expect(matchTotp(secret, "005924", 1_234_567_890_000)).toBe(totpStep(1_234_567_890_000));
    },
  );

  test("lower case and padding are the same secret", () => {
    expect(totpCode("gezdgnbvgy3tqojqgezdgnbvgy3tqojq====", 1)).toBe("287082");
  });

  test("a new secret is 20 bytes of base32, never twice the same", () => {
    const made = Array.from({ length: 20 }, newTotpSecret);
    for (const one of made) expect(one).toMatch(/^[A-Z2-7]{32}$/);
    expect(new Set(made).size).toBe(made.length);
  });

  test("the URI names issuer, account and every parameter", () => {
    expect(totpUri(secret, "desk 1")).toBe(
      `otpauth://totp/Pitboss%3Adesk%201?secret=${secret}&issuer=Pitboss&algorithm=SHA1&digits=6&period=30`,
    );
  });
});
