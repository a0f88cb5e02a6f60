import { describe, expect, test } from "vitest";
import {
  looksLikeAmount,
  parseAmount,
  parseDuration,
  parseLimit,
  parseSlippage,
} from "../../src/bot/parse/amount-text.ts";
import { killReason, parseCommand, tokenize } from "../../src/bot/parse/command-text.ts";
import {
  parseMarketLink,
  parseMarketName,
  parseRowNumber,
} from "../../src/bot/parse/market-text.ts";
import { parseTradeText } from "../../src/bot/parse/trade-text.ts";

const million = 1_000_000;

describe("amounts", () => {
  test.each([
    ["$25", { unit: "usd", value: 25 * million }],
    ["$25.50", { unit: "usd", value: 25.5 * million }],
    ["25$", { unit: "usd", value: 25 * million }],
    ["25usd", { unit: "usd", value: 25 * million }],
    ["25", { unit: "bare", value: 25 * million }],
    [".5", { unit: "bare", value: 0.5 * million }],
    ["0.000001", { unit: "bare", value: 1 }],
    ["40sh", { unit: "shares", value: 40 * million }],
    ["40.322581SH", { unit: "shares", value: 40_322_581 }],
    ["50%", { unit: "part", value: 500_000 }],
    ["0.5%", { unit: "part", value: 5_000 }],
    ["100%", { unit: "part", value: million }],
    ["max", { unit: "part", value: million }],
    ["MAX", { unit: "part", value: million }],
  ])("%s", (text, amount) => {
    expect(parseAmount(text)).toEqual(amount);
  });

  test.each([
    "",
    "0",
    "$0",
    "0sh",
    "0%",
    "-5",
    "+5",
    "$-5",
    "NaN",
    "Infinity",
    "1e9",
    "1e-9",
    "0x10",
    "1,000",
    "1_000",
    "٢٥",
    "２５",
    "25 ",
    "$",
    "%",
    "sh",
    "101%",
    "1.2.3",
    "0.0000001",
    "10000001",
    "999999999999999999",
    "$25sh",
    "25%sh",
    "$25%",
    "null",
    "--1",
    "½",
  ])("%s is refused", (text) => {
    expect(parseAmount(text)).toBeNull();
  });

  test.each(["-5", "1e9", "NaN", "٢٥", "$", "+1", "25x"])("%s was meant as an amount", (text) => {
    expect(looksLikeAmount(text)).toBe(true);
  });
});

describe("prices, times, slippage", () => {
  test.each([
    ["0.62", 6200],
    [".62", 6200],
    ["62c", 6200],
    ["62¢", 6200],
    ["62.5c", 6250],
    ["0.0001", 1],
    ["0.01c", 1],
    ["0.9999", 9999],
  ])("price %s", (text, price) => {
    expect(parseLimit(text)).toBe(price);
  });

  test.each([
    "0",
    "1",
    "1.0",
    "62",
    "100c",
    "0c",
    "-0.5",
    "0.00001",
    "1e-1",
    "NaN",
    "",
    "c",
    "٠.٦",
  ])("price %s is refused", (text) => {
    expect(parseLimit(text)).toBeNull();
  });

  test.each([
    ["30m", 1_800_000],
    ["1h", 3_600_000],
    ["1h30m", 5_400_000],
    ["2d", 172_800_000],
    ["90s", 90_000],
  ])("time %s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(["", "0m", "h", "1", "-1h", "31d", "1w", "1.5h", "9999999d"])(
    "time %s is refused",
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );

  test("slippage", () => {
    expect(parseSlippage("2")).toBe(20_000);
    expect(parseSlippage("1.5%")).toBe(15_000);
    expect(parseSlippage("0")).toBe(0);
    for (const bad of ["51", "-1", "x", "", "1e1"]) expect(parseSlippage(bad)).toBeNull();
  });
});

describe("markets by name", () => {
  test.each([
    [
      "https://polymarket.com/event/fed-decision-in-december",
      "eventSlug",
      "fed-decision-in-december",
    ],
    ["polymarket.com/event/fed-decision/fed-cut-december?tid=17", "slug", "fed-cut-december"],
    ["look: https://www.polymarket.com/es/event/fed-decision?x=1#y !", "eventSlug", "fed-decision"],
    ["https://polymarket.com/market/rain-in-london/", "slug", "rain-in-london"],
    ["https://polymarket.com/sports/nba/games/nba-lal-bos", "eventSlug", "nba-lal-bos"],
  ])("%s", (text, by, value) => {
    expect(parseMarketLink(text)).toEqual({ by, value });
  });

  test.each([
    "https://polymarket.com/",
    "https://evil.com/polymarket.com/event/x",
    "https://polymarket.com.evil.com/event/x",
    "https://notpolymarket.com/event/x",
    "https://polymarket.com/event/",
    "https://polymarket.com/profile/abc",
    "https://polymarket.com/event/%3Cb%3E",
  ])("%s is no link of ours", (text) => {
    expect(parseMarketLink(text)).toBeNull();
  });

  test("row, condition id, slug, words", () => {
    const id = `0x${"AB".repeat(32)}`;
    expect(parseMarketName("#12")).toEqual({ by: "row", row: 12 });
    expect(parseMarketName(id)).toEqual({
      by: "catalog",
      ref: { by: "conditionId", value: id.toLowerCase() },
    });
    expect(parseMarketName("Fed-Cut")).toEqual({
      by: "catalog",
      ref: { by: "slug", value: "fed-cut" },
    });
    expect(parseMarketName("fed")).toBeNull();
    expect(parseMarketName("#1234")).toBeNull();
    expect(parseMarketName("https://polymarket.com/event/fed-cut?tid=1")).toEqual({
      by: "catalog",
      ref: { by: "eventSlug", value: "fed-cut" },
      isLink: true,
    });
  });

  test("a number alone is a row of the list shown last", () => {
    expect(parseRowNumber(" 4 ")).toBe(4);
    expect(parseRowNumber("#12")).toBe(12);
    for (const text of ["$4", "4sh", "4 5", "1234", "٤", ""]) {
      expect(parseRowNumber(text)).toBeNull();
    }
  });
});

describe("commands", () => {
  test("name and words", () => {
    expect(parseCommand("/BUY@bot  #1 yes\n25 ")).toEqual({ name: "buy", args: "#1 yes\n25" });
    expect(parseCommand("/status")).toEqual({ name: "status", args: "" });
    expect(parseCommand("buy #1")).toBeNull();
    expect(parseCommand("/")).toBeNull();
  });

  test("quotes keep words together", () => {
    expect(tokenize(`"fed december" “no cut” 'it is' yes $25`).map((token) => token.text)).toEqual([
      "fed december",
      "no cut",
      "it is",
      "yes",
      "$25",
    ]);
    expect(tokenize('"unclosed words').map((token) => token.text)).toEqual(["unclosed words"]);
  });

  test.each([
    ["/kill", ""],
    ["/KILL@pitboss_bot too hot", "too hot"],
    ["kill", ""],
    [" Kill! ", ""],
    ["/kill\nnow", "now"],
    ["/kill-all", "-all"],
    ["KILL it all", ""],
    ["kill now, please!", ""],
    ["Kill kill everything", ""],
  ])("%s kills", (text, reason) => {
    expect(killReason(text)).toBe(reason);
  });

  test.each([
    "stop it if it rains",
    "/killer",
    "/killed",
    "kill bill market",
    "kill all the sharks market",
    "please kill",
    "killing",
    "/stopped",
    "",
  ])("%s does not kill", (text) => {
    expect(killReason(text)).toBeNull();
  });
});

describe("/buy and /sell", () => {
  const read = (text: string) => {
    const parsed = parseTradeText(text);
    if (!parsed.ok) expect.fail(`${text}: ${parsed.error.part} ${parsed.error.text}`);
    return parsed.value;
  };
  const usd = (value: number) => ({ unit: "usd", value: value * million });

  test("everything at once, options anywhere", () => {
    expect(read("#1 yes $25 @0.62 gtd=1h")).toEqual({
      market: { by: "row", row: 1 },
      outcome: "yes",
      amount: usd(25),
      limit: 6200,
      timeInForce: "gtd",
      goodForMs: 3_600_000,
      slippagePpm: null,
    });
    expect(read("fok #1 slip=1.5 yes 40 sh")).toMatchObject({
      amount: { unit: "shares", value: 40 * million },
      timeInForce: "fok",
      slippagePpm: 15_000,
    });
    expect(read("#1 yes 25 @ 62c")).toMatchObject({ limit: 6200 });
  });

  test("markets by words, quoted or not", () => {
    const words = (value: string) => ({ by: "catalog", ref: { by: "words", value } });
    expect(read('"fed december" yes $25')).toMatchObject({
      market: words("fed december"),
      outcome: "yes",
    });
    expect(read("fed december yes $25")).toMatchObject({
      market: words("fed december"),
      outcome: "yes",
    });
    expect(read("will no one win yes 25")).toMatchObject({
      market: words("will no one win"),
      outcome: "yes",
    });
    expect(read("fed december")).toMatchObject({
      market: words("fed december"),
      outcome: null,
      amount: null,
    });
    expect(read("fed december $25")).toMatchObject({
      market: words("fed december"),
      amount: usd(25),
    });
    expect(read("lakers-celtics Los Angeles Lakers $25")).toMatchObject({
      outcome: "Los Angeles Lakers",
    });
  });

  test("missing parts are null", () => {
    expect(read("")).toMatchObject({ market: null, outcome: null, amount: null });
    expect(read("#1")).toMatchObject({
      market: { by: "row", row: 1 },
      outcome: null,
      amount: null,
    });
    expect(read("#1 yes")).toMatchObject({ outcome: "yes", amount: null });
    expect(read("#1 25")).toMatchObject({ outcome: null, amount: { unit: "bare" } });
    expect(read("25")).toMatchObject({ market: null, amount: { unit: "bare" } });
    expect(read("yes $25")).toMatchObject({ market: null, outcome: "yes", amount: usd(25) });
  });

  test.each([
    ["#1 yes 0", "amount"],
    ["#1 yes -5", "amount"],
    ["#1 yes 1e9", "amount"],
    ["#1 yes NaN", "amount"],
    ["#1 yes ٢٥", "amount"],
    ["#1 yes abc", "amount"],
    ["#1 yes 25 dollars", "amount"],
    ["#1 yes $25 @62", "price"],
    ["#1 yes $25 @1.5", "price"],
    ["#1 yes $25 @", "price"],
    ["#1 yes $25 @0.5 gtd=x", "duration"],
    ["#1 yes $25 @0.5 gtd", "duration"],
    ["#1 yes $25 slip=99", "slippage"],
    ["#1 yes $25 gtc", "combination"],
    ["#1 yes $25 gtd=1h", "combination"],
    ["#1 yes $25 @0.5 slip=2", "combination"],
  ])("%s: bad %s", (text, part) => {
    const parsed = parseTradeText(text);
    expect(parsed.ok ? "read" : parsed.error.part).toBe(part);
  });
});
