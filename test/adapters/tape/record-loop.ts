// Child process of the crash tests: records made-up frames without end and prints how many the thread has written.
import { setTimeout } from "node:timers/promises";
import { openTapeRecorder } from "../../../src/adapters/tape/tape-recorder.ts";
import { frameOf, identity } from "./frames.ts";

const folder = process.argv[2] ?? "";
const framesPerTurn = 10;
// The test that reads it is gone.
process.stdout.on("error", () => process.exit(1));
const recorder = await openTapeRecorder({
  folder,
  identity,
  // Small blocks and segments: a kill meets every state of both.
  limits: { blockMs: 5, segmentBytes: 40_000 },
});
let told = 0;
for (let n = 0; ; n++) {
  recorder.frame(Date.now(), Buffer.from(frameOf(n)));
  if (n % framesPerTurn !== 0) continue;
  await setTimeout(1);
  const { frames } = recorder.totals;
  if (frames > told) process.stdout.write(`${frames}\n`);
  told = frames;
}
