import { afterEach, describe, expect, test } from "vitest";
import { createBot, type TelegramDesk } from "../../src/bot/bot.ts";
import { BotConfigError } from "../../src/bot/bot-deps.ts";
import { type BotApiEmulator, startEmulator } from "../../src/bot/local/emulator.ts";
import { startPolling } from "../../src/bot/transport/polling.ts";
import type { Transport, TransportTrouble } from "../../src/bot/transport/trouble.ts";
import { startWebhook, type Webhook } from "../../src/bot/transport/webhook.ts";
import { botDeps, type LogLine, TestClock, token, trader, until } from "./support/bot-rig.ts";
import { DeskDouble } from "./support/desk-double.ts";

const secret = "s3cret_".repeat(6);
const header = "x-telegram-bot-api-secret-token";

let stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
});

type Parts = {
  readonly emulator: BotApiEmulator;
  readonly double: DeskDouble;
  readonly desk: TelegramDesk;
  readonly troubles: TransportTrouble[];
  readonly log: LogLine[];
  readonly clock: TestClock;
};

async function parts(): Promise<Parts> {
  const clock = new TestClock();
  const double = new DeskDouble(clock.now);
  const emulator = await startEmulator({ token, nowMs: clock.now, webhookRetryScale: 0.01 });
  emulator.addUser(trader, "Ann");
  const log: LogLine[] = [];
  const desk = createBot(botDeps(double, clock, log, { apiRoot: emulator.apiRoot }));
  desk.start();
  stops.push(
    () => emulator.close(),
    () => desk.stop(),
  );
  return { emulator, double, desk, troubles: [], log, clock };
}

const polls = (rig: Parts) =>
  rig.emulator.calls.filter(({ method }) => /^getupdates$/iu.test(method)).length;

function onTrouble(into: TransportTrouble[]) {
  return (trouble: TransportTrouble) => {
    into.push(trouble);
  };
}

async function webhook(rig: Parts): Promise<Webhook> {
  const options = { host: "127.0.0.1", port: 0, secret, onTrouble: onTrouble(rig.troubles) };
  const hook = await startWebhook(rig.desk, options);
  stops.push(() => hook.stop());
  await until(() => hook.health().up);
  return hook;
}

const seen = (rig: Parts, pattern: RegExp) =>
  rig.emulator.until(
    () => rig.emulator.events.find((event) => event.dir === "out" && pattern.test(event.text)),
    5_000,
  );

describe("webhook", () => {
  test("delivers, kills, and stays registered after a stop", async () => {
    const rig = await parts();
    const hook = await webhook(rig);
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    expect(await seen(rig, /CONFIRM BUY/)).toBeDefined();
    rig.emulator.send(trader, "/kill");
    expect(await seen(rig, /KILL ON/)).toBeDefined();
    expect(rig.double.calls.indexOf("gate closed")).toBeLessThan(
      rig.double.calls.findIndex((call) => call.startsWith("kill")),
    );
    await hook.stop();
    expect(rig.emulator.calls.some((call) => call.method.toLowerCase() === "deletewebhook")).toBe(
      false,
    );
  });

  test("without the right secret, path, size or shape nothing happens", async () => {
    const rig = await parts();
    const hook = await webhook(rig);
    const base = `http://127.0.0.1:${hook.port}`;
    const kill = JSON.stringify({
      update_id: 1,
      message: {
        message_id: 1,
        date: 0,
        from: { id: trader, is_bot: false, first_name: "A" },
        chat: { id: trader, type: "private" },
        text: "/kill",
      },
    });
    const post = async (path: string, headers: Record<string, string>, body: string) => {
      const answer = await fetch(`${base}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
      });
      return answer.status;
    };
    expect(await post(hook.path, {}, kill)).toBe(401);
    expect(await post(hook.path, { [header]: secret.slice(1) }, kill)).toBe(401);
    expect(await post(hook.path, { [header]: `${secret}x` }, kill)).toBe(401);
    expect(await post("/telegram/other", { [header]: secret }, kill)).toBe(404);
    expect(await post(hook.path, { [header]: secret }, "{")).toBe(400);
    expect(await post(hook.path, { [header]: secret }, "[]")).toBe(400);
    expect(await post(hook.path, { [header]: secret }, `{"a":"${"x".repeat(1_100_000)}"}`)).toBe(
      413,
    );
    expect(rig.double.calls).toEqual([]);
    expect(rig.double.received.size).toBe(0);
    expect(await post(hook.path, { [header]: secret }, kill)).toBe(200);
    expect(rig.double.calls[0]).toBe("gate closed");
  });

  test("a kill closes the gate while the ledger hangs", async () => {
    const rig = await parts();
    rig.double.onReceive = () => new Promise(() => {});
    await webhook(rig);
    rig.emulator.send(trader, "/kill");
    await until(() => rig.double.calls.includes("gate closed"));
  });

  test("refuses to start without a good secret", async () => {
    const rig = await parts();
    for (const bad of ["", "short", "x".repeat(31), `${"x".repeat(40)}!`]) {
      const options = { host: "127.0.0.1", port: 0, secret: bad, onTrouble: onTrouble([]) };
      await expect(startWebhook(rig.desk, options)).rejects.toThrow(BotConfigError);
    }
  });
});

describe("polling", () => {
  const poll = (rig: Parts): Transport => {
    const transport = startPolling(rig.desk, { onTrouble: onTrouble(rig.troubles) });
    stops.push(() => transport.stop());
    return transport;
  };
  /** A poller whose first update cannot be kept until `keep` is called. */
  const pollUnkept = async (rig: Parts) => {
    const { promise, resolve } = Promise.withResolvers<"ok">();
    rig.double.onReceive = () => promise;
    poll(rig);
    await until(() => rig.emulator.isPolled);
    rig.emulator.send(trader, "/status");
    await until(() => !rig.emulator.isPolled);
    return { keep: () => resolve("ok") };
  };

  test("an outage is reported and survived", async () => {
    const rig = await parts();
    rig.emulator.fault({ name: "drop-before", method: "getMe" });
    rig.emulator.fault({ name: "unauthorized", method: "getUpdates" });
    const transport = poll(rig);
    rig.emulator.send(trader, "/status");
    expect(await seen(rig, /STATUS/)).toBeDefined();
    expect(rig.troubles.map((trouble) => trouble.kind)).toEqual(["unreachable", "unauthorized"]);
    expect(transport.health().up).toBe(true);
    expect(JSON.stringify(rig.troubles)).not.toContain(token.split(":")[1]);
  });

  test("is in contact before the first long poll has ended", async () => {
    const rig = await parts();
    const transport = poll(rig);
    await until(() => rig.emulator.isPolled);
    expect(transport.health()).toMatchObject({ up: true });
    expect(transport.health().lastContactMs).not.toBeNull();
  });

  test("a second poller is reported as a conflict", async () => {
    const rig = await parts();
    poll(rig);
    await until(() => rig.emulator.isPolled);
    const thief = createBot(
      botDeps(new DeskDouble(), new TestClock(), [], { apiRoot: rig.emulator.apiRoot }),
    );
    const other = startPolling(thief, { onTrouble: onTrouble([]) });
    stops.push(() => other.stop());
    await until(() => rig.troubles.some((trouble) => trouble.kind === "conflict"));
  });

  test("an update is confirmed only after it was kept", async () => {
    const rig = await parts();
    const { keep } = await pollUnkept(rig);
    expect(rig.emulator.pendingUpdates).toBe(1);
    keep();
    await until(() => rig.emulator.pendingUpdates === 0);
    expect(rig.double.received.size).toBe(1);
  });

  test("a kill behind what cannot be kept is seen, and nothing is confirmed for it", async () => {
    const rig = await parts();
    const { keep } = await pollUnkept(rig);
    rig.emulator.send(trader, "/kill");
    await until(() => rig.double.calls.includes("gate closed"));
    expect(rig.emulator.pendingUpdates).toBe(2);
    keep();
    await until(() => rig.emulator.pendingUpdates === 0);
    // Read again and again meanwhile, worked on once.
    expect(rig.double.calls.filter((call) => call.startsWith("kill"))).toHaveLength(1);
    expect(rig.double.received.size).toBe(2);
  });

  test("what comes behind an update that is in hand waits for it in its chat", async () => {
    const rig = await parts();
    const { keep } = await pollUnkept(rig);
    rig.double.onReceive = async () => "ok";
    rig.emulator.send(trader, "/positions");
    const before = polls(rig);
    await until(() => polls(rig) > before + 1);
    expect(rig.double.received.size).toBe(0);
    keep();
    await until(() => rig.emulator.pendingUpdates === 0);
    const texts = [...rig.double.received.values()].map((command) => command.text);
    expect(texts).toEqual(["/status", "/positions"]);
  });

  test("a poll that is full of what cannot be kept is given up in the end: a kill may be behind it", async () => {
    const rig = await parts();
    rig.double.onReceive = () => new Promise(() => {});
    poll(rig);
    await until(() => rig.emulator.isPolled);
    for (let i = 0; i < 101; i++) rig.emulator.send(trader, `/status ${i}`);
    rig.emulator.send(trader, "/kill");
    // The first poll may have brought one of them alone; a full one comes after it.
    const before = polls(rig);
    await until(() => polls(rig) > before + 2);
    expect(rig.double.calls).not.toContain("gate closed");
    rig.clock.offsetMs += 11_000;
    await until(() => rig.double.calls.includes("gate closed"));
  });

  test("a kill closes the gate while the ledger hangs", async () => {
    const rig = await parts();
    rig.double.onReceive = () => new Promise(() => {});
    poll(rig);
    await until(() => rig.emulator.isPolled);
    rig.emulator.send(trader, "/kill");
    await until(() => rig.double.calls.includes("gate closed"));
  });

  test("stops at once while a poll is waiting", async () => {
    const rig = await parts();
    const transport = startPolling(rig.desk, { onTrouble: onTrouble(rig.troubles) });
    await until(() => rig.emulator.isPolled);
    const before = Date.now();
    await transport.stop();
    expect(Date.now() - before).toBeLessThan(2_000);
    expect(rig.troubles).toEqual([]);
  });
});

test("an empty whitelist does not start", () => {
  const deps = botDeps(new DeskDouble(), new TestClock(), [], { whitelist: [] });
  expect(() => createBot(deps)).toThrow(BotConfigError);
});
