import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { composeService, type Service } from "../../src/compose.ts";
import { until } from "../engine/support/live-desk.ts";
import { type LiveGround, openLiveGround } from "./live-ground.ts";

let ground: LiveGround;
let service: Service;
beforeEach(async () => {
  ground = await openLiveGround();
  process.env["XDG_STATE_HOME"] = ground.folder;
  const telemetry = { log_file: `${ground.folder}/service.log` };
  const config = loadConfig(ground.config({ type: "fake", dryRun: false, telemetry }), "service");
  service = await composeService(config, { faultPoints: false });
  service.engine.start();
  await until("ready", () => service.engine.state.ready);
});
afterEach(async () => {
  await service.stop();
  delete process.env["XDG_STATE_HOME"];
  await ground.close();
});

test("code that wants a foreign host is stopped, new buys are, and traders are told, until a person resumes (X5)", async () => {
  const { engine } = service;
  expect(engine.view().trading.state).toBe("active");
  await expect(fetch("http://203.0.113.9/steal?key=1")).rejects.toThrow();
  await until("sales only", () => engine.view().trading.causes.includes("outbound"));
  const told = engine.noticesAfter(0).map(({ body }) => body);
  expect(told.filter((body) => body.kind === "reducing")).toMatchObject([{ causes: ["outbound"] }]);
  const actor = { userId: 1, chatId: 1 };
  const offer = await engine.askResume(actor, "tg:1");
  expect(offer).toMatchObject({ ok: true });
});
