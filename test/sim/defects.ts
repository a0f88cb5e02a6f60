import type { FillReport } from "../../src/engine/domain/fill.ts";
import type { Usd } from "../../src/engine/domain/numbers.ts";
import type { Order } from "../../src/engine/domain/order.ts";
import type { ActionCall } from "../../src/engine/domain/position-action.ts";
import type { PostOutcome } from "../../src/engine/protocol/venue-report.ts";
import type { DeskDeps } from "../../src/engine/runtime/desk-deps.ts";
import type { Engine } from "../../src/engine/runtime/engine.ts";
import { plainHasher } from "../engine/support/hasher.ts";
import { Chance } from "./chance.ts";
import { type EngineProcess, replace } from "./engine-process.ts";
import type { Property } from "./judge.ts";
import {
  beforeStep,
  changeOrder,
  fillReports,
  outcomes,
  patch,
  withoutKill,
  withoutUser,
} from "./sabotage.ts";

/** What a deliberate defect changes in a process, before and after its engine is made. */
export type Sabotage = {
  readonly deps?: (deps: DeskDeps, process: EngineProcess) => void;
  readonly engine?: (engine: Engine, process: EngineProcess) => void;
};

/** A bug that somebody could write, the property that it breaks, and a seed whose run shows it. */
export type Defect = Sabotage & {
  readonly property: Property;
  readonly seed: number;
  /** Checkers that would speak first. */
  readonly ignored?: readonly Property[];
};

const neverSent: PostOutcome = { kind: "blocked", denial: { code: "busy" } };

/** Nothing in the product knows of these: each is put in from outside, by a wrapped port or a patched method. */
export const defects = {
  "retry-with-fresh-salt": {
    property: "P1",
    seed: 1,
    deps: (deps, process) => {
      const { venue } = process;
      const post = venue.post.bind(venue);
      patch(venue, "post", async (order, gate) => {
        const outcome = await post(order, gate);
        if (outcome.kind !== "unknown") return outcome;
        const { draft } = JSON.parse(order.body) as { readonly draft: Order["draft"] };
        const unique = { salt: deps.entropy.salt(), timestampMs: deps.clock.nowMs() };
        return await post(venue.prepare(draft, unique), () => null);
      });
    },
  },
  "commit-after-send": {
    property: "P1",
    seed: 1,
    ignored: ["told"],
    deps: (_deps, { log }) => {
      const append = log.append.bind(log);
      patch(log, "append", (records) => {
        append(records).catch(() => undefined);
        return Promise.resolve();
      });
    },
  },
  "sent-again-after-cancel-asked": {
    property: "P1",
    seed: 6,
    engine: (engine, { venue }) => {
      const cancel = venue.cancel.bind(venue);
      patch(venue, "cancel", (hashes) => {
        for (const orderHash of hashes) {
          const order = engine.state.orders.get(engine.state.oidByHash.get(orderHash) ?? "");
          const again = { orderHash, body: order?.body ?? "" };
          void venue.send(again, "none", new Chance(1, orderHash));
        }
        return cancel(hashes);
      });
    },
  },
  "fill-per-message": {
    property: "P2",
    seed: 1,
    deps: (_deps, process) => {
      let messages = 0;
      fillReports(process, (fill) => ({ ...fill, tradeId: `${fill.tradeId}#${messages++}` }));
    },
  },
  "trades-never-read": {
    property: "P2",
    seed: 1,
    deps: (_deps, { venue }) => {
      patch(venue, "fills", () => Promise.resolve({ ok: true, value: [] }));
    },
  },
  "failed-fill-not-reversed": {
    property: "P2",
    seed: 1,
    deps: (_deps, process) => {
      fillReports(process, (fill) =>
        fill.status === "failed" ? { ...fill, status: "confirmed" } : fill,
      );
    },
  },
  "timeout-as-rejected": {
    property: "P3",
    seed: 2,
    deps: (_deps, process) => {
      outcomes(process, (outcome) => (outcome.kind === "unknown" ? neverSent : outcome));
    },
  },
  "duplicate-as-rejected": {
    property: "P3",
    seed: 10,
    deps: (_deps, process) => {
      outcomes(process, (outcome) => (outcome.kind === "duplicated" ? neverSent : outcome));
    },
  },
  "released-on-first-absence": {
    property: "P3",
    seed: 1,
    deps: (deps) => {
      const waits = { ...deps.settings.waits, quarantineMs: 0, quarantineCleanReads: 1 };
      patch(deps, "settings", { ...deps.settings, waits });
    },
  },
  "reservation-released-on-unknown": {
    property: "P3",
    seed: 4,
    engine: (engine) => {
      beforeStep(engine, (input) => {
        if (input.kind !== "post.finished" || input.outcome.kind !== "unknown") return;
        changeOrder(engine, input.clientOid, { status: "rejected" });
      });
    },
  },
  "replaced-before-the-end": {
    property: "P3",
    seed: 40,
    engine: (engine) => {
      beforeStep(engine, () => {
        for (const { clientOid } of engine.state.replacements.values()) {
          changeOrder(engine, clientOid, { status: "canceled", venueDone: true });
        }
      });
    },
  },
  "caps-not-applied": {
    property: "P3",
    seed: 9,
    ignored: ["P9"],
    deps: (deps) => {
      const risk = {
        ...deps.settings.risk,
        maxExposurePerMarketUsd: deps.settings.risk.maxExposureTotalUsd,
        maxExposurePerOutcomeUsd: deps.settings.risk.maxExposureTotalUsd,
      };
      patch(deps, "settings", { ...deps.settings, risk });
    },
  },
  "kill-asked-before-await": {
    property: "P4",
    seed: 4,
    deps: (_deps, { venue }) => {
      const post = venue.post.bind(venue);
      patch(venue, "post", (order, gate) => {
        const early = gate();
        return post(order, () => early);
      });
    },
  },
  "kill-lost-at-restart": {
    property: "P4",
    seed: 1,
    deps: (_deps, { log }) => {
      const read = log.read.bind(log);
      patch(log, "read", async (fromSeq, limit) => (await read(fromSeq, limit)).map(withoutKill));
    },
  },
  "kill-waits-for-its-turn": {
    property: "P4",
    seed: 1,
    engine: (engine) => replace(engine, "closeGate", () => undefined),
  },
  "cancel-button-confirms": {
    property: "P5",
    seed: 1,
    engine: (engine) => {
      const { confirm } = engine;
      let commandId = "";
      beforeStep(engine, (input) => {
        if (input.kind === "request" && input.request.do === "receive") {
          commandId = input.request.command.commandId;
        }
      });
      replace(engine, "discardCard", async (actor, nonce) => {
        await confirm(actor, commandId, nonce);
      });
    },
  },
  "card-without-end": {
    property: "P5",
    seed: 19,
    ignored: ["P9"],
    engine: (engine) => {
      const { cards } = engine.state;
      beforeStep(engine, () => {
        for (const [nonce, card] of cards.entries()) {
          if (card.state !== "open" || card.expiresAtMs > Number.MAX_SAFE_INTEGER / 2) continue;
          cards.set(nonce, { ...card, expiresAtMs: Number.MAX_SAFE_INTEGER });
        }
      });
    },
  },
  "redelivered-command-done-again": {
    property: "P7",
    seed: 1,
    engine: (engine) => {
      const { receive, state } = engine;
      replace(engine, "receive", (command) => {
        state.commands.delete(command.commandId);
        state.answered.delete(command.commandId);
        return receive(command);
      });
    },
  },
  "failed-message-counts-as-sent": {
    property: "P7",
    seed: 1,
    engine: (engine) => {
      replace(engine, "markFailed", (messageId) => engine.markSent(messageId, 1));
    },
  },
  "chance-inside-the-step": {
    property: "P9",
    seed: 1,
    deps: ({ hasher }) => {
      let drawn = 0;
      patch(hasher as { sha256Hex: typeof hasher.sha256Hex }, "sha256Hex", (text) =>
        plainHasher.sha256Hex(`${text}${drawn++}`),
      );
    },
  },
  "state-changed-beside-the-ledger": {
    property: "P9",
    seed: 1,
    engine: (engine) => {
      beforeStep(engine, (input) => {
        if (input.kind === "cancel.finished") engine.state.told.set("somebody", "ended");
        for (const order of engine.state.orders.values()) {
          if (order.cleanAbsences > 1) changeOrder(engine, order.clientOid, { cleanAbsences: 1 });
        }
      });
    },
  },
  "look-up-never-repeated": {
    property: "P10",
    seed: 1,
    deps: (_deps, { venue }) => {
      const queryOrder = venue.queryOrder.bind(venue);
      const asked = new Set<string>();
      patch(venue, "queryOrder", (orderHash) => {
        if (asked.has(orderHash)) return new Promise(() => undefined);
        asked.add(orderHash);
        return queryOrder(orderHash);
      });
    },
  },
  "unknown-too-long-untold": {
    property: "P10",
    seed: 1,
    ignored: ["P9"],
    deps: (deps) => {
      const waits = { ...deps.settings.waits, settleAlarmMs: 1e9 };
      patch(deps, "settings", { ...deps.settings, waits });
    },
  },
  "lease-not-looked-at": {
    property: "P12",
    seed: 12,
    deps: (deps) => patch(deps, "leaseHeld", () => true),
  },
  "ended-order-opened-again": {
    property: "P13",
    seed: 19,
    engine: (engine) => {
      beforeStep(engine, (input) => {
        if (input.kind !== "account" || input.event.kind !== "order.reported") return;
        const oid = engine.state.oidByHash.get(input.event.order.orderHash) ?? "";
        if (engine.state.orders.get(oid)?.status === "canceled") {
          changeOrder(engine, oid, { status: "live" });
        }
      });
    },
  },
  "late-matched-revives-failed-fill": {
    property: "P13",
    seed: 23,
    engine: (engine) => {
      const { fills } = engine.state;
      beforeStep(engine, (input) => {
        if (input.kind !== "account" || input.event.kind !== "fill.reported") return;
        const { tradeId, orderHash } = input.event.fill;
        const known = fills.get(`${tradeId}:${orderHash}`);
        if (known?.status !== "failed" || input.event.fill.status !== "provisional") return;
        fills.set(known.fillId, { ...known, status: "provisional" });
      });
    },
  },
  "order-row-without-user": {
    property: "P14",
    seed: 1,
    deps: (_deps, { log }) => {
      const append = log.append.bind(log);
      patch(log, "append", (records) => append(records.map(withoutUser)));
    },
  },
  "balance-may-raise": {
    property: "conservation",
    seed: 1,
    engine: (engine) => {
      beforeStep(engine, (input) => {
        if (input.kind !== "account.read" || input.report.balance === null) return;
        engine.state.cash = input.report.balance.cash;
      });
    },
  },
  "foreign-fill-ignored": {
    property: "P2",
    seed: 1,
    deps: (_deps, { venue }) => {
      const hear = venue.hear.bind(venue);
      const fills = venue.fills.bind(venue);
      const isForeign = (fill: FillReport) => fill.orderHash.startsWith("0xe");
      patch(venue, "hear", (event) => {
        if (event.kind !== "fill.reported" || !isForeign(event.fill)) hear(event);
      });
      patch(venue, "fills", async (afterS) => {
        const read = await fills(afterS);
        return read.ok ? { ok: true, value: read.value.filter((one) => !isForeign(one)) } : read;
      });
    },
  },
  "call-signed-anew": {
    property: "P1",
    seed: 57,
    ignored: ["P3"],
    deps: (_deps, { contracts }) => {
      const submit = contracts.submit.bind(contracts);
      patch(contracts, "submit", async (prepared, gate) => {
        const outcome = await submit(prepared, gate);
        if (outcome.kind !== "unknown") return outcome;
        const { call } = JSON.parse(prepared.body) as { readonly call: ActionCall };
        const again = await contracts.prepare(call);
        return again.ok ? await submit(again.value, gate) : outcome;
      });
    },
  },
  "call-booked-before-it-is-final": {
    property: "P3",
    seed: 1,
    deps: (_deps, { contracts }) => {
      const query = contracts.query.bind(contracts);
      patch(contracts, "query", async (prepared) => {
        const report = await query(prepared);
        if (report.kind !== "pending") return report;
        return { kind: "confirmed", reference: report.reference, gasUsd: 0 as Usd };
      });
    },
  },
  "lost-call-given-up-at-once": {
    property: "P3",
    seed: 1,
    deps: (_deps, { contracts }) => {
      const submit = contracts.submit.bind(contracts);
      patch(contracts, "submit", async (prepared, gate) => {
        const outcome = await submit(prepared, gate);
        return outcome.kind === "unknown" ? { kind: "rejected", detail: outcome.detail } : outcome;
      });
    },
  },
  "maker-fill-pays-a-fee": {
    property: "conservation",
    seed: 8,
    deps: (_deps, process) => fillReports(process, (fill) => ({ ...fill, isMaker: false })),
  },
} as const satisfies Readonly<Record<string, Defect>>;

export type DefectName = keyof typeof defects;
