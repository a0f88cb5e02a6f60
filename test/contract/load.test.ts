import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openSqliteStore } from "../../src/open-store.ts";
import { describeCatalog } from "./catalog-contract.ts";
import { describeExport } from "./export-contract.ts";
import { describeLoading } from "./load-contract.ts";
import { describeNumbers } from "./numbers-contract.ts";
import { describePrune } from "./prune-contract.ts";
import { tradedLedger } from "./traded-ledger.ts";

const folder = mkdtempSync(join(tmpdir(), "pitboss-load-"));
const records = tradedLedger();
let files = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open = () => Promise.resolve(openSqliteStore(join(folder, `${files++}.db`)));

describeLoading("a SQLite file", open, () => records);
describeExport("a SQLite file", open);
describeCatalog("a SQLite file", open);
describePrune("a SQLite file", open);
describeNumbers("a SQLite file", open);
