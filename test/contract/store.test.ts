import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openSqliteStore } from "../../src/open-store.ts";
import { describeCrash } from "./crash-contract.ts";
import { describeStore } from "./store-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "pitboss-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeStore("a SQLite file", (place) =>
  Promise.resolve(openSqliteStore(join(folder, `${place}.db`))),
);

let crashed = 0;
describeCrash("a SQLite file", () =>
  Promise.resolve({ kind: "sqlite", file: join(folder, `crash${crashed++}.db`) }),
);
