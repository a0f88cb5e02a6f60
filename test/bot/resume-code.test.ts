import { afterEach, describe, expect, test } from "vitest";
import type { BotDeps } from "../../src/bot/bot-deps.ts";
import { codeIn } from "../../src/bot/parse/resume-code.ts";
import { explain } from "../../src/bot/render/explain.ts";
import { matchTotp, totpCode, totpStep } from "../../src/bot/totp.ts";
import {
  heard,
  lastSeq,
  type Rig,
  said,
  startRig,
  stranger,
  trader,
  until,
} from "./support/bot-rig.ts";

const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const step = () => totpStep(Date.now());
const code = () => totpCode(secret, step());

let rig: Rig;
/** A killed desk; `judged` are the digits that were looked at. */
async function killed(more: Partial<BotDeps> = {}) {
  const judged: string[] = [];
  const judgeCode = (digits: string) => {
    judged.push(digits);
    return matchTotp(secret, digits, Date.now());
  };
  rig = await startRig(
    (double) => {
      double.isKilled = true;
    },
    { judgeCode, ...more },
  );
  return { judged };
}

async function offered() {
  const { judged } = await killed();
  rig.emulator.send(trader, "/resume");
  const card = await heard(rig, /RESUME trading\?/);
  rig.clock.offsetMs += 6_000;
  return { judged, card };
}

const history = () => rig.emulator.history(trader).map((one) => one.message_id);
const gone = (messageId: number) => until(() => !history().includes(messageId));

/** Everything that the desk keeps or writes: inbox, answers, outbox, log. */
function kept(): string {
  const { received, answered, outbox, calls, notices } = rig.double;
  return JSON.stringify([[...received], [...answered], outbox, calls, notices, rig.log]);
}

describe("a code in a message", () => {
  test.each([
    ["123456", "123456"],
    ["  123 456 ", "123456"],
    ["123-456", "123456"],
    ["/resume 123456", "123456"],
    ["/RESUME@desk_bot  123 456", "123456"],
    ["/resume 12345", "12345"],
    ["/resume code 123456", "code123456"],
    ["١٢٣٤٥٦", "١٢٣٤٥٦"],
    ["/resume", null],
    ["/resume please", null],
    ["12345", null],
    ["1234567", null],
    ["$123456", null],
    ["123456sh", null],
    ["/buy #1 yes 123456", null],
    ["/kill 123456", null],
  ])("%j gives %j", (text, digits) => {
    expect(codeIn(text)).toBe(digits);
  });
});

describe("what a refused code says", () => {
  test("names a clock that is off, and when only one more try is left", () => {
    const denial = {
      code: "resume_code_wrong",
      limit: 1,
      subject: "clock",
      wanted: 45_000,
    } as const;
    const { what, todo } = explain(denial);
    expect(what).toBe("That code is wrong. One more like it and none is taken for a while.");
    expect(todo).toContain("This machine's clock is 45 s away from the venue's");
    expect(explain({ code: "resume_code_wrong", limit: 3 }).todo).not.toContain("machine");
  });

  test("while trading is on it may have been an amount", () => {
    const { money, todo } = explain({ code: "not_killed", subject: "code" });
    expect(money).toBe("Nothing changed.");
    expect(todo).toContain("If it was an amount: write $ before it or sh behind it");
  });
});

describe("resuming with a code in chat", () => {
  afterEach(async () => {
    await rig.stop();
  });

  test.each(["/resume CODE", "CODE"])(
    "%s resumes; the message is deleted and its digits are kept nowhere (TG16)",
    async (form) => {
      const { card } = await offered();
      expect(card.text).toContain("send the six digits of your authenticator app");
      const digits = code();
      const sent = rig.emulator.send(trader, form.replace("CODE", digits));
      await heard(rig, /TRADING ON/);
      await gone(sent.message_id);
      expect(rig.double.isKilled).toBe(false);
      const command = [...rig.double.received.values()].at(-1);
      expect(command?.text).toBe("/resume");
      expect([step(), step() - 1]).toContain(command?.code);
      expect(kept()).not.toContain(digits);
      expect(said(rig)).not.toContain(digits);
    },
  );

  test("a wrong code is deleted and kept no more than a good one", async () => {
    await offered();
    const sent = rig.emulator.send(trader, "/resume 12-34");
    await heard(rig, /That code is wrong\. 4 more like it/);
    await gone(sent.message_id);
    expect(rig.double.calls).toContain("resume-with-code wrong");
    expect([...rig.double.received.values()].at(-1)).toMatchObject({
      text: "/resume",
      code: "wrong",
    });
    expect(kept()).not.toMatch(/12-34|"1234"/);
    expect(rig.double.isKilled).toBe(true);
  });

  test("the button alone answers that the code is to be typed", async () => {
    const { card } = await offered();
    rig.emulator.press(trader, card.messageId ?? 0, "Resume trading");
    const toast = await heard(rig, /Type the six digits of your authenticator app/);
    expect(toast.alert).toBe(true);
  });

  test("a message that cannot be deleted is told to be deleted by hand", async () => {
    await offered();
    rig.emulator.fault({
      name: "status",
      method: "deleteMessage",
      code: 400,
      description: "Bad Request: message can't be deleted",
    });
    rig.emulator.send(trader, code());
    await heard(rig, /could not be deleted: delete it yourself/);
    await heard(rig, /TRADING ON/);
    expect(rig.log.some(({ message }) => message.includes("was not deleted"))).toBe(true);
  });

  test("the same update twice is one command, judged as it was first, and its deleted message no trouble", async () => {
    await offered();
    const date = Math.floor((Date.now() + rig.clock.offsetMs) / 1000);
    const chat = { id: trader, type: "private" as const, first_name: "Ann" };
    const from = { id: trader, is_bot: false, first_name: "Ann" };
    const update = {
      update_id: 9001,
      message: { message_id: 999_999, date, chat, from, text: code() },
    };
    await rig.desk.handle(update);
    await rig.desk.handle(update);
    await heard(rig, /TRADING ON/);
    expect(rig.double.calls.filter((call) => call.startsWith("resume-with-code"))).toHaveLength(1);
    // Telegram answered both deletions before the answer to a later message.
    rig.emulator.send(trader, "/status");
    await heard(rig, /STATUS/);
    expect(rig.log.filter(({ message }) => message.includes("was not deleted"))).toEqual([]);
  });

  test("of a stranger, or in a group, is nothing: not looked at, not deleted, not answered", async () => {
    const { judged } = await offered();
    const after = lastSeq(rig);
    rig.emulator.send(stranger, code());
    rig.emulator.send(trader, code(), { chatType: "group" });
    rig.emulator.send(trader, "/status");
    await heard(rig, /STATUS/, trader, after);
    expect(judged).toEqual([]);
    expect(rig.emulator.events.filter(({ kind }) => kind === "delete")).toEqual([]);
    expect(said(rig, stranger)).toBe("");
    expect(rig.double.isKilled).toBe(true);
  });

  test("in an edited message is deleted and not taken", async () => {
    const { judged } = await offered();
    const sent = rig.emulator.send(trader, "12345");
    const chat = { id: trader, type: "private" as const, first_name: "Ann" };
    const from = { id: trader, is_bot: false, first_name: "Ann" };
    const edit = { message_id: sent.message_id, date: 1, edit_date: 2, chat, from, text: code() };
    await rig.desk.handle({ update_id: 9002, edited_message: edit });
    await heard(rig, /A code in an edited message is not taken/);
    await gone(sent.message_id);
    expect(judged).toEqual([]);
    expect(rig.double.isKilled).toBe(true);
  });

  test("that is too old does not resume", async () => {
    await offered();
    const sent = rig.emulator.send(trader, `/resume ${code()}`, { ageSeconds: 61 });
    await heard(rig, /Too old, nothing was sent/);
    await gone(sent.message_id);
    expect(rig.double.calls.some((call) => call.startsWith("resume-with-code"))).toBe(false);
  });

  test("where none is asked for, six digits are words and the button resumes", async () => {
    rig = await startRig((double) => {
      double.isKilled = true;
    });
    const sent = rig.emulator.send(trader, "123456");
    await heard(rig, /I did not understand that/);
    expect([...rig.double.received.values()].map((one) => one.text)).toEqual(["123456"]);
    expect(history()).toContain(sent.message_id);
  });
});
