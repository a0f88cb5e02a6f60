// A second poller, or a token that is not accepted any more: commands may come from somebody else.
import { describe, expect, test } from "vitest";
import { DeskRig } from "./desk-rig.ts";

const allMs = 180_000;
const buy = "/buy selby-strait-reopens yes 10sh @0.62 fak";

describe("a chat that may not be ours (TG2, T2, T3)", () => {
  test.each([
    ["a second poller", "status method=getUpdates code=409"],
    ["a token that is refused", "unauthorized method=getUpdates"],
  ])(
    "%s: nothing is bought, sales and cancels and the kill work, and its end is told once",
    async (_, fault) => {
      await using rig = await DeskRig.open();
      await rig.play(`${buy}\n!expect CONFIRM BUY\n!press ^Confirm\n!expect FILLED BUY`);
      await rig.play(`!fault chat ${fault} times=2\n/status\n!expect SALES ONLY`);
      await rig.play(`${buy}\n!expect Only sales are taken now: somebody else may read`);
      await rig.play("/sell selby-strait-reopens yes 5sh @0.55 fak\n!expect CONFIRM SELL");
      await rig.play("!press ^Confirm\n!expect (FILLED|CANCELED|EXPIRED|PARTLY|NOTHING)");
      await rig.until("its end is told", () => rig.told(/SALES ONLY ENDED/u).length > 0);
      await rig.play(`${buy}\n!expect CONFIRM BUY`);
      expect(rig.told(/SALES ONLY ENDED/u).length, rig.transcript()).toBe(1);
      await rig.play(`!fault chat ${fault} times=1\n/kill\n!expect KILL ON`);
    },
    allMs,
  );
});
