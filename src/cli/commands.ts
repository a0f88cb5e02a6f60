/** A command line command: what it is for, and its code, loaded only when it runs. */
type CommandEntry = {
  readonly name: string;
  readonly group: "Chat" | "Looking" | "Data" | "Service and venue";
  readonly summary: string;
  /** The command's own function: arguments in, exit code out. */
  readonly load: () => Promise<(args: readonly string[]) => Promise<number>>;
};

const commands: readonly CommandEntry[] = [
  {
    name: "tgbot-run-local",
    group: "Chat",
    summary: "the offline desk: chat, paper venue and the real service in one terminal (npm start)",
    load: async () => (await import("./tgbot-run-local.ts")).tgbotRunLocalCommand,
  },
  {
    name: "status",
    group: "Looking",
    summary: "what a running service holds: money, exposure, orders, feeds",
    load: async () => (await import("./status.ts")).statusCommand,
  },
  {
    name: "health",
    group: "Looking",
    summary: "each module's state: exit 0 ready, 1 degraded, 3 not running",
    load: async () => (await import("./health.ts")).healthCommand,
  },
  {
    name: "status-top",
    group: "Looking",
    summary: "the markets with the most resyncs, the longest silence, and rate limits",
    load: async () => (await import("./status-top.ts")).statusTopCommand,
  },
  {
    name: "metrics",
    group: "Looking",
    summary: "the figures of a running service in Prometheus' format",
    load: async () => (await import("./metrics.ts")).metricsCommand,
  },
  {
    name: "metrics-export",
    group: "Looking",
    summary: "the same page into a file",
    load: async () => (await import("./metrics.ts")).metricsExportCommand,
  },
  {
    name: "metrics-serve",
    group: "Looking",
    summary: "the same page over HTTP on this machine",
    load: async () => (await import("./metrics.ts")).metricsServeCommand,
  },
  {
    name: "kill",
    group: "Service and venue",
    summary: "stop trading and cancel every order without Telegram",
    load: async () => (await import("./kill.ts")).killCommand,
  },
  {
    name: "run-service",
    group: "Service and venue",
    summary: "the bot and its engine",
    load: async () => (await import("./run-service.ts")).runServiceCommand,
  },
  {
    name: "preflight",
    group: "Service and venue",
    summary: "every check before a start, one line each",
    load: async () => (await import("./preflight.ts")).preflightCommand,
  },
  {
    name: "relayer-dry-run",
    group: "Service and venue",
    summary: "build, sign, hash and show one order; --send-and-cancel proves the path",
    load: async () => (await import("./relayer-dry-run.ts")).relayerDryRunCommand,
  },
  {
    name: "smoke-live",
    group: "Service and venue",
    summary: "read everything, then post, cancel and prove gone one tiny order",
    load: async () => (await import("./smoke-live.ts")).smokeLiveCommand,
  },
  {
    name: "key-import",
    group: "Service and venue",
    summary: "make the encrypted keystore of the key that signs",
    load: async () => (await import("./key-import.ts")).keyImportCommand,
  },
  {
    name: "totp-setup",
    group: "Service and venue",
    summary: "a new secret for the code that /resume needs; shown once, written nowhere",
    load: async () => (await import("./totp-setup.ts")).totpSetupCommand,
  },
  {
    name: "relayer-approve-usdc",
    group: "Service and venue",
    summary: "let the venue's contracts take dollars, up to an amount",
    load: async () => (await import("./relayer-approve.ts")).relayerApproveUsdcCommand,
  },
  {
    name: "relayer-approve-outcome",
    group: "Service and venue",
    summary: "let the venue's contracts take outcome shares: all of them, or none",
    load: async () => (await import("./relayer-approve.ts")).relayerApproveOutcomeCommand,
  },
  {
    name: "paper-venue",
    group: "Service and venue",
    summary: "a venue on loopback that speaks Polymarket's wire protocol",
    load: async () => (await import("./paper-venue.ts")).paperVenueCommand,
  },
  {
    name: "load",
    group: "Data",
    summary: "fill the store: orders and fills from the ledger, books and trades from recordings",
    load: async () => (await import("./load.ts")).loadCommand,
  },
  {
    name: "export",
    group: "Data",
    summary: "write a table of the store as CSV or Parquet",
    load: async () => (await import("./export.ts")).exportCommand,
  },
  {
    name: "migrate",
    group: "Data",
    summary: "show or make the tables of ledger and store",
    load: async () => (await import("./migrate.ts")).migrateCommand,
  },
  {
    name: "ledger-move",
    group: "Data",
    summary: "copy the ledger from SQLite to PostgreSQL or back, and prove the copy",
    load: async () => (await import("./ledger-move.ts")).ledgerMoveCommand,
  },
  {
    name: "book-verify",
    group: "Data",
    summary: "check the hashes of recorded books",
    load: async () => (await import("./book-verify.ts")).bookVerifyCommand,
  },
  {
    name: "sets-scan",
    group: "Data",
    summary: "cost of complete sets in recorded books",
    load: async () => (await import("./sets-scan.ts")).setsScanCommand,
  },
  {
    name: "ingest-ws",
    group: "Data",
    summary: "subscribe to markets and show or store their books",
    load: async () => (await import("./record.ts")).ingestWsCommand,
  },
  {
    name: "record",
    group: "Data",
    summary: "write the market channel's frames to a tape, or a file",
    load: async () => (await import("./record.ts")).recordCommand,
  },
  {
    name: "replay",
    group: "Data",
    summary: "play a tape: books, counters, digest; with a ledger, decide again",
    load: async () => (await import("./replay.ts")).replayCommand,
  },
  {
    name: "tape-info",
    group: "Data",
    summary: "what a tape holds: times, frames, gaps, markets, runs, inputs",
    load: async () => (await import("./tape-tools.ts")).tapeInfoCommand,
  },
  {
    name: "tape-verify",
    group: "Data",
    summary: "check every byte of a tape",
    load: async () => (await import("./tape-tools.ts")).tapeVerifyCommand,
  },
  {
    name: "tape-export",
    group: "Data",
    summary: "write a tape as JSON lines",
    load: async () => (await import("./tape-tools.ts")).tapeExportCommand,
  },
  {
    name: "snapshot",
    group: "Data",
    summary: "write the books of markets as they are now, verified",
    load: async () => (await import("./snapshot.ts")).snapshotCommand,
  },
  {
    name: "prune",
    group: "Data",
    summary: "remove old tapes and snapshots, keep one-minute aggregates",
    load: async () => (await import("./prune.ts")).pruneCommand,
  },
];

export function commandNamed(name: string): CommandEntry | null {
  return commands.find((command) => command.name === name) ?? null;
}

/** The page that `pitboss --help` shows. */
export function commandList(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const groups = ["Chat", "Looking", "Service and venue", "Data"] as const;
  const sections = groups.map((group) => {
    const lines = commands
      .filter((command) => command.group === group)
      .map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
    return `${group}\n${lines.join("\n")}`;
  });
  return `usage: pitboss COMMAND [OPTIONS]      every command has --help with an example\n\n${sections.join("\n\n")}\n\nexit codes: 0 done, 1 the thing checked does not hold, 2 wrong use or configuration, 3 not running\nexample: pitboss tgbot-run-local\n`;
}
