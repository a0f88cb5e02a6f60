// Child process of the crash tests: appends batches without end and prints each sequence number once it is durable.
import { type LedgerPlace, openPlace } from "./homes.ts";

const place = JSON.parse(process.argv[2] ?? "{}") as LedgerPlace;
const bodyChars = Number(process.argv[3] ?? 100);
const writersMax = 8;

const ledger = await openPlace(place);
let next = (await ledger.lastSeq()) + 1;

async function appendForever(): Promise<void> {
  for (;;) {
    const from = next;
    const count = 1 + (from % 3);
    next += count;
    const records = Array.from({ length: count }, (_, i) => ({
      seq: from + i,
      atMs: from,
      kind: "test.row",
      stepId: from,
      correlationId: `c${from}`,
      body: JSON.stringify({ first: from, count, filler: "x".repeat(bodyChars) }),
    }));
    await ledger.append(records);
    process.stdout.write(`${from + count - 1}\n`);
  }
}

try {
  await Promise.all(Array.from({ length: writersMax }, appendForever));
} catch (error) {
  const code = error instanceof Error && "code" in error ? String(error.code) : "untyped";
  const again = await ledger.append([]).then(
    () => "accepted",
    (later: unknown) => (later as { code: string }).code,
  );
  process.stdout.write(`failed ${code} then ${again}\n`);
  await ledger.close();
}
