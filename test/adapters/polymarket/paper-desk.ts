import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createPaperVenue,
  type PaperVenue,
} from "../../../src/adapters/paper-venue/http/create-paper-venue.ts";
import type { DrivenWorld } from "../../../src/adapters/paper-venue/world/driven-world.ts";
import { createGammaHandler } from "../../../src/adapters/paper-venue/world/gamma-handler.ts";
import { createUniverse } from "../../../src/adapters/paper-venue/world/universe.ts";
import {
  createPolymarket,
  type Polymarket,
  type PolymarketOptions,
  type PolymarketUrls,
} from "../../../src/adapters/polymarket/create-polymarket.ts";
import type { Log, LogFields } from "../../../src/engine/ports/system.ts";

// Hardhat's published account 0: it guards nothing.
export const testKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

export type LogLine = { readonly event: string; readonly fields: LogFields };

export function collectingLog(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const add = (event: string, fields: LogFields = {}) => void lines.push({ event, fields });
  return { log: { info: add, warn: add, error: add }, lines };
}

export type PaperDesk = {
  readonly venue: PaperVenue;
  readonly world: DrivenWorld;
  readonly urls: PolymarketUrls;
  readonly fault: (name: string, params: Record<string, unknown>) => Promise<void>;
  readonly connect: (options?: Partial<PolymarketOptions>) => Polymarket;
  readonly close: () => Promise<void>;
};

/** A paper venue with the built-in markets, by default standing still, on a free port of loopback. */
export async function openPaperDesk(
  motion: { readonly still: boolean; readonly pace: number } = { still: true, pace: 1 },
): Promise<PaperDesk> {
  const stateDir = mkdtempSync(join(tmpdir(), "pitboss-polymarket-"));
  const venue = createPaperVenue({ stateDir, settleMs: 20 });
  const world = createUniverse({
    exchange: venue.exchange,
    seed: 1,
    ...motion,
    nowMs: Date.now,
  });
  venue.onMove((conditionId, ticks) => world.move(conditionId, ticks));
  venue.setMounts({
    gamma: createGammaHandler({
      exchange: venue.exchange,
      metadata: (eventId) => world.eventMetadata(eventId),
    }),
  });
  const { port } = await venue.listen(0);
  const base = `http://127.0.0.1:${port}`;
  const urls = { clob: base, gamma: `${base}/gamma`, ws: `ws://127.0.0.1:${port}/ws` };
  const connected: Polymarket[] = [];
  return {
    venue,
    world,
    urls,
    async fault(name, params) {
      const body = JSON.stringify({ name, ...params });
      const answer = await fetch(`${base}/paper/fault`, { method: "POST", body });
      if (!answer.ok) throw new TypeError(`fault refused: ${await answer.text()}`);
    },
    connect(options = {}) {
      const polymarket = createPolymarket({
        urls,
        chainId: 137,
        privateKey: testKey,
        signatureType: 0,
        funder: null,
        log: collectingLog().log,
        ...options,
      });
      connected.push(polymarket);
      return polymarket;
    },
    async close() {
      await Promise.all(connected.map((polymarket) => polymarket.close()));
      world.stop();
      await venue.close();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

const pollEveryMs = 5;

/** Waits until `read` gives something, at most 10 s. */
export async function until<T>(what: string, read: () => T | null | undefined): Promise<T> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const value = read();
    if (value !== null && value !== undefined) return value;
    if (performance.now() > deadline) throw new TypeError(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
  }
}
