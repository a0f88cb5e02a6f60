import { InlineKeyboard } from "grammy";
import { describe, expect, test } from "vitest";
import type { BotApiEmulator } from "../../../src/bot/local/emulator.ts";
import { parseScript } from "../../../src/bot/local/script-parse.ts";
import type { ScriptDesk, ScriptResult } from "../../../src/bot/local/script-run.ts";
import { ScriptRunner } from "../../../src/bot/local/script-run.ts";
import { botFor, openEmulator, trader, untilTrue } from "./emulator-harness.ts";

const times = { pressMs: 5_000, expectMs: 5_000, refuteMs: 60, venueMs: 300, venuePollMs: 10 };

/** Records what a script does to the desk; the reads of the venue change after a while. */
class RecordingDesk implements ScriptDesk {
  readonly done: unknown[] = [];
  reads = 0;
  async holdMarket(slug: string, hold: boolean): Promise<void> {
    this.done.push(["hold", slug, hold]);
  }
  async moveMarket(slug: string, ticks: number): Promise<void> {
    this.done.push(["move", slug, ticks]);
  }
  async editRules(slug: string, description: string): Promise<void> {
    this.done.push(["rules", slug, description]);
  }
  async readVenue(path: string): Promise<string> {
    this.reads += 1;
    return JSON.stringify({ path, trades: this.reads > 3 ? 1 : 0 });
  }
  async faultVenue(name: string, params: object): Promise<void> {
    this.done.push(["fault", name, params]);
  }
  async crash(point: string): Promise<void> {
    this.done.push(["crash", point]);
  }
  async restart(): Promise<void> {
    this.done.push(["restart"]);
  }
  resumeCode(stepsAhead: 0 | 1): string {
    return stepsAhead === 0 ? "111111" : "222222";
  }
}

/** A bot that echoes, shows a confirmation card once per /card and counts its presses. */
async function startBot(emulator: BotApiEmulator): Promise<AsyncDisposable> {
  const bot = botFor(emulator);
  let cards = 0;
  let presses = 0;
  bot.command("card", (ctx) => {
    cards += 1;
    const keyboard = new InlineKeyboard()
      .text("Cancel", `x:${cards}`)
      .text("Confirm $25.00", `c:${cards}`);
    return ctx.reply(`CARD ${cards}`, { reply_markup: keyboard });
  });
  bot.command("age", (ctx) =>
    ctx.reply(`age ${Math.floor(Date.now() / 1000 - (ctx.msg?.date ?? 0))}`),
  );
  bot.on("callback_query:data", async (ctx) => {
    presses += 1;
    const text = `press ${presses} of ${ctx.callbackQuery.data}`;
    await ctx.answerCallbackQuery({ text, show_alert: true });
    if (ctx.callbackQuery.data.startsWith("c:")) {
      await ctx.editMessageText(`DONE ${presses}`).catch(() => undefined);
    }
  });
  bot.on("message:text", (ctx) =>
    ctx.chat.type === "private" ? ctx.reply(`echo ${ctx.msg.text}`) : undefined,
  );
  bot.catch(() => {});
  const running = bot.start();
  await untilTrue(() => emulator.isPolled);
  return {
    [Symbol.asyncDispose]: async () => {
      await bot.stop();
      await running;
    },
  };
}

async function runScript(script: string, desk = new RecordingDesk()): Promise<ScriptResult> {
  await using emulator = await openEmulator();
  await using _bot = await startBot(emulator);
  const runner = new ScriptRunner({ emulator, desk, userId: trader, times });
  // Awaited here, so that the bot lives until the script has ended.
  const result = await runner.runAll(parseScript(script));
  return result;
}

describe("ScriptRunner", () => {
  const holding: readonly { name: string; script: string }[] = [
    { name: "a message and its answer", script: "hello\n!expect ^ECHO hello$" },
    { name: "button labels count as seen", script: "/card\n!expect Confirm \\$25" },
    {
      name: "press, alert, edit",
      script: "/card\n!press ^confirm\n!expect press 1 of c:1\n!expect DONE 1",
    },
    {
      name: "the newest card is pressed",
      script: "/card\n!expect CARD 1\n/card\n!expect CARD 2\n!press confirm\n!expect of c:2",
    },
    {
      name: "again is a second update",
      script: "/card\n!press cancel\n!expect press 1\n!again\n!expect press 2 of x:1",
    },
    {
      name: "stale presses what was replaced",
      script: "/card\n!press confirm\n!expect DONE\n!stale confirm\n!expect press 2 of c:1",
    },
    {
      name: "only what came since the last sending line",
      script: "one\n!expect echo one\ntwo\n!expect echo two\n!refute echo one",
    },
    {
      name: "count of messages and edits",
      script: "/card\n!press confirm\n!count 1 DONE\n!count 0 CARD",
    },
    {
      name: "a message counts once for text and labels",
      script: "/card\n!count 1 card|confirm|cancel",
    },
    {
      name: "back-dating is for one line",
      script: "!age 61\n/age\n!expect age 6[12]\n/age\n!expect age [01]$",
    },
    {
      name: "a group is another chat",
      script: "!as 1001 group\nhello\n!refute echo\n!as 1001\nhello\n!expect echo",
    },
    {
      name: "a stranger sees only the own chat",
      script: "hello\n!expect echo\n!as 777\n!refute echo",
    },
    {
      name: "codes",
      script:
        "!code now\n!expect ^echo 111111\n!code next say\n!expect ^echo say 222222\n!code last\n!expect ^echo 222222",
    },
    { name: "own times", script: "hello\n!expect /echo/ 2\n!refute /nonsense/ 0.01" },
    {
      name: "faults of the chat",
      script: "!fault chat status code=400 method=sendMessage\nlost\n!refute /echo/ 0.05",
    },
  ];
  test.each(holding)("holds: $name", async ({ script }) => {
    const { failed } = await runScript(script);
    expect(failed).toBeNull();
  });

  const failing: readonly { name: string; script: string; line: number; reason: RegExp }[] = [
    {
      name: "expect",
      script: "hello\n!expect /goodbye/ 0.1\nnever",
      line: 2,
      reason: /nothing seen matches/,
    },
    {
      name: "refute of what is there",
      script: "hello\n!expect echo\n!refute echo",
      line: 3,
      reason: /echo hello/,
    },
    {
      name: "refute of what comes within its time",
      script: "hello\n!refute /echo/ 2",
      line: 2,
      reason: /refuted/,
    },
    {
      name: "press without a button",
      script: "hello\n!press /confirm/ 0.05",
      line: 2,
      reason: /no visible button/,
    },
    {
      name: "stale without a gone button",
      script: "/card\n!expect CARD\n!stale /confirm/ 0.05",
      line: 3,
      reason: /no removed/,
    },
    { name: "again before a press", script: "!again", line: 1, reason: /nothing was pressed/ },
    {
      name: "count too many",
      script: "/card\n!press cancel\n!expect press 1\n!count 0 press",
      line: 4,
      reason: /1 times instead of 0/,
    },
    {
      name: "count too few",
      script: "hello\n!count 2 /echo/ 0.1",
      line: 2,
      reason: /1 times instead of 2/,
    },
    {
      name: "the venue never matches",
      script: "!venue GET /x /never/ 0.05",
      line: 1,
      reason: /GET \/x answered/,
    },
    {
      name: "a bad fault parameter",
      script: "!fault chat hang colour=red",
      line: 1,
      reason: /bad parameter/,
    },
  ];
  test.each(failing)("error: $name", async ({ script, line, reason }) => {
    const { failed } = await runScript(script);
    expect(failed?.line.line).toBe(line);
    expect(failed?.reason).toMatch(reason);
  });

  test("behavior: desk lines reach the desk, and the venue is read until it matches", async () => {
    const desk = new RecordingDesk();
    const script = [
      "!market fed-dec hold",
      "!market fed-dec move 2",
      "!fault venue drop-after path=/order times=1",
      '!venue GET /data/trades "trades":1',
      "!crash K9",
      "!restart",
    ];
    const { failed } = await runScript(script.join("\n"), desk);
    expect(failed).toBeNull();
    expect(desk.reads).toBe(4);
    expect(desk.done).toEqual([
      ["hold", "fed-dec", true],
      ["move", "fed-dec", 2],
      ["fault", "drop-after", { path: "/order", times: 1 }],
      ["crash", "K9"],
      ["restart"],
    ]);
  });

  test("behavior: a broken desk ends every wait", async () => {
    await using emulator = await openEmulator();
    const broken = new AbortController();
    const runner = new ScriptRunner({
      emulator,
      desk: new RecordingDesk(),
      userId: trader,
      signal: broken.signal,
    });
    const running = runner.runAll(parseScript("hello\n!expect never"));
    await untilTrue(() => emulator.history(trader).length === 1);
    broken.abort();
    expect((await running).failed?.reason).toBe("the desk stopped");
  });
});
