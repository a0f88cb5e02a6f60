import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openSqliteStore } from "../../src/open-store.ts";
import { describeStore } from "./store-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "pitboss-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeStore("a SQLite file", (place) =>
  Promise.resolve(openSqliteStore(join(folder, `${place}.db`))),
);
