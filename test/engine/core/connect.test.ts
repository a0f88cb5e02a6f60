import { expect, test } from "vitest";
import { openCoreDesk } from "../support/core-desk.ts";

test("the first answer of the venue is an input of its own, and asks for the account at once", () => {
  const desk = openCoreDesk();
  desk.drain();
  desk.run({ kind: "tick" });
  expect(desk.drain()).toEqual([]);
  desk.run({ kind: "venue.connected" });
  expect(desk.drain().map((effect) => effect.kind)).toEqual(["account.read"]);
});
