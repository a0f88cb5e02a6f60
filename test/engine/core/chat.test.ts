import { describe, expect, test } from "vitest";
import type { OutMessage } from "../../../src/engine/api/outbox.ts";
import type { ReceivedCommand } from "../../../src/engine/api/requests.ts";
import { keptSentKeys } from "../../../src/engine/state/engine-state.ts";
import { CoreDesk, firstMs, openCoreDesk, trader } from "../support/core-desk.ts";
import { refold } from "../support/refold.ts";

function command(commandId: string): ReceivedCommand {
  return {
    commandId,
    actor: trader,
    text: "/buy",
    kind: "message",
    messageId: 1,
    sentAtMs: firstMs,
  };
}

function message(key: string, over: Partial<OutMessage> = {}): OutMessage {
  return {
    key,
    chatId: 7,
    priority: "answer",
    text: key,
    entities: [],
    keyboard: [],
    editMessageId: null,
    editKey: null,
    replyToMessageId: null,
    silent: false,
    ...over,
  };
}

function receive(desk: CoreDesk, commandId: string) {
  return desk.request("receive", { do: "receive", command: command(commandId) }).value;
}

function answer(desk: CoreDesk, commandId: string, ...keys: string[]): void {
  const messages = keys.map((key) => message(key));
  desk.request("none", { do: "answer", commandId, verdict: "answered", reason: "ok", messages });
}

describe("commands (P7)", () => {
  test("the same update received twice is one command, before and after it is answered", () => {
    const desk = new CoreDesk();
    expect(receive(desk, "tg:1")).toBe("new");
    expect(receive(desk, "tg:1")).toBe("duplicate");
    answer(desk, "tg:1");
    expect(receive(desk, "tg:1")).toBe("duplicate");
    expect(desk.facts.filter(({ fact }) => fact.kind === "command.received")).toHaveLength(1);
  });

  test("an answer ends its command once, with one audit row and its messages in the same step", () => {
    const desk = new CoreDesk();
    receive(desk, "tg:1");
    const seq = desk.facts.length;
    answer(desk, "tg:1", "c:tg:1:0");
    answer(desk, "tg:1", "c:tg:1:1");
    expect(desk.facts.slice(seq).map(({ fact }) => fact.kind)).toEqual([
      "command.answered",
      "message.queued",
    ]);
    expect(desk.state.commands.size).toBe(0);
    expect([...desk.state.outbox.keys()]).toEqual(["c:tg:1:0"]);
  });

  test("an answer to a command that was never received says nothing", () => {
    const desk = new CoreDesk();
    answer(desk, "tg:9", "c:tg:9:0");
    expect(desk.facts).toEqual([]);
  });

  test("what was received and not answered is pending after a restart, and still known as received", () => {
    const desk = new CoreDesk();
    receive(desk, "tg:1");
    receive(desk, "tg:2");
    answer(desk, "tg:1");
    const again = refold(desk);
    expect([...again.state.commands.keys()]).toEqual(["tg:2"]);
    expect(receive(again, "tg:1")).toBe("duplicate");
    expect(receive(again, "tg:2")).toBe("duplicate");
  });
});

describe("the outbox", () => {
  test("one key is one message: while it waits, and after it was sent", () => {
    const desk = new CoreDesk();
    const enqueue = () => desk.request("none", { do: "enqueue", messages: [message("n:1:7")] });
    enqueue();
    enqueue();
    expect(desk.state.outbox.size).toBe(1);
    const sent = { do: "sent", key: "n:1:7", telegramMessageId: 33 } as const;
    desk.request("none", sent);
    desk.request("none", sent);
    enqueue();
    expect(desk.state.outbox.size).toBe(0);
    expect(desk.state.sent.get("n:1:7")).toBe(33);
    expect(desk.facts.map(({ fact }) => fact.kind)).toEqual(["message.queued", "message.sent"]);
  });

  test("the same key twice in one answer is one message too", () => {
    const desk = new CoreDesk();
    receive(desk, "tg:1");
    answer(desk, "tg:1", "a", "a");
    expect(desk.state.outbox.size).toBe(1);
  });

  test("a failure is tried again at its time with one more attempt, or given up", () => {
    const desk = new CoreDesk();
    desk.request("none", { do: "enqueue", messages: [message("a"), message("b")] });
    const failed = (key: string, retryAtMs: number | null) =>
      desk.request("none", { do: "failed", key, reason: "429", retryAtMs });
    failed("a", firstMs + 500);
    failed("b", null);
    failed("b", null);
    expect(desk.state.outbox.get("a")).toMatchObject({ attempts: 1, notBeforeMs: firstMs + 500 });
    expect(desk.state.outbox.has("b")).toBe(false);
    desk.request("none", { do: "enqueue", messages: [message("b")] });
    expect(desk.state.outbox.has("b")).toBe(false);
  });

  test("a start tries every waiting message anew: the wait may come from a clock that was ahead (P7)", () => {
    const desk = new CoreDesk();
    desk.request("none", { do: "enqueue", messages: [message("a")] });
    const inAnHour = firstMs + 3_600_000;
    desk.request("none", { do: "failed", key: "a", reason: "network", retryAtMs: inAnHour });
    const next = refold(desk);
    next.run({ kind: "run.start" });
    expect(next.state.outbox.get("a")).toMatchObject({ attempts: 1, notBeforeMs: firstMs });
  });

  test("buttons are known by their nonce with the chat they were sent to; copy buttons are not", () => {
    const desk = new CoreDesk();
    const button = { label: "Confirm", style: "success", verb: "ok", action: "confirm" } as const;
    const keyboard = [
      [
        { ...button, nonce: "a".repeat(16) },
        { ...button, nonce: "b".repeat(16), copyText: "0x1" },
      ],
    ];
    desk.request("none", { do: "enqueue", messages: [message("card", { keyboard })] });
    const again = refold(desk);
    for (const { state } of [desk, again]) {
      expect(state.buttons.get("a".repeat(16))).toEqual({
        chatId: 7,
        verb: "ok",
        action: "confirm",
      });
      expect(state.buttons.has("b".repeat(16))).toBe(false);
    }
  });

  test("memory of sent keys has its bound (P11)", () => {
    const desk = new CoreDesk();
    for (let i = 0; i < keptSentKeys + 10; i++) {
      desk.request("none", { do: "enqueue", messages: [message(`k${i}`)] });
      desk.request("none", { do: "sent", key: `k${i}`, telegramMessageId: i });
    }
    expect(desk.state.sent.size).toBe(keptSentKeys);
  });
});

describe("notices", () => {
  test("have rising numbers, and the cursor only moves forward, with the messages that tell them", () => {
    const desk = openCoreDesk();
    desk.kill();
    expect([...desk.state.notices.entries()].map(([id]) => id)).toEqual([1, 2]);
    const told = (upTo: number, key: string) =>
      desk.request("none", { do: "told", upTo, messages: [message(key)] });
    told(2, "n:2:7");
    told(1, "n:1:7");
    told(2, "n:2:8");
    expect(desk.state.toldUpTo).toBe(2);
    expect([...desk.state.outbox.keys()]).toEqual(["n:2:7"]);
    expect(refold(desk).state.toldUpTo).toBe(2);
  });
});
