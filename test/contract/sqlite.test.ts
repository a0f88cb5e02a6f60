import { join } from "node:path";
import { scratchFolder } from "../adapters/sqlite/support.ts";
import { describeLease } from "./lease-contract.ts";
import { describeLedger } from "./ledger-contract.ts";

describeLedger("a SQLite file", () =>
  Promise.resolve({ kind: "sqlite", file: join(scratchFolder(), "ledger.db") }),
);

describeLease("a SQLite file", () =>
  Promise.resolve({ kind: "sqlite", file: join(scratchFolder(), "service.lease") }),
);
