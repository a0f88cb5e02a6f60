import { expect, test } from "vitest";
import { createEthersScheme } from "../../../src/adapters/polymarket/ethers-scheme.ts";
import { createRehearsal } from "../../../src/adapters/polymarket/rehearse.ts";
import type { OrderDraft } from "../../../src/engine/domain/order.ts";
import { Rehearsal } from "../../../src/engine/runtime/rehearsal.ts";
import { plainHasher } from "../support/hasher.ts";
import { dollars, testSettings } from "../support/settings.ts";

test("a rehearsed order goes all the way to its facts, whatever the trader's own limits are", () => {
  const settings = testSettings({
    startHalted: true,
    risk: { maxNotionalPerOrderUsd: dollars(1), maxOpenOrders: 1, breakerOrdersPerMinute: 1 },
  });
  const drafts: OrderDraft[] = [];
  const prepare = createRehearsal(137, createEthersScheme(137));
  const bodies = new Set<string>();
  const rehearsal = new Rehearsal(settings, plainHasher, (draft) => {
    drafts.push(draft);
    const prepared = prepare(draft);
    bodies.add(prepared.body);
    return prepared;
  });
  // More than one state's worth: it begins anew and goes on.
  for (let i = 0; i < 120; i++) expect(rehearsal.run(), `order ${i}`).toBe(true);
  expect(drafts).toHaveLength(120);
  expect(bodies.size).toBe(120);
});
