import { statfsSync } from "node:fs";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { makeTape } from "./frame-tape.ts";

/** Where the figures were measured; without it they say little. */
export type MachineFacts = {
  readonly node: string;
  readonly v8: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly stateFileSystem: string;
  /** Processes that wanted a core during the last minute: above the number of cores the figures are worth little. */
  readonly load: number;
  readonly at: string;
};

/** Nanoseconds of JSON.parse for a price_change frame on the machine of performance.md, section 1a, Node 24. */
const anchorParseNs = 1_610;

/** statfs(2) magic numbers of file systems that differ in what a sync costs. */
const fileSystems: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0x01021994: "tmpfs (a sync costs nothing here)",
  0x794c7630: "overlayfs",
  0x2fc12fc1: "zfs",
};

export function machineFacts(): MachineFacts {
  const { type } = statfsSync(tmpdir());
  return {
    node: process.version,
    v8: process.versions.v8,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()} ${process.arch}`,
    stateFileSystem: fileSystems[type] ?? `0x${type.toString(16)}`,
    load: loadavg()[0] ?? 0,
    at: new Date().toISOString(),
  };
}

const parseRounds = 5;
const parsesPerRound = 5_000;
const parsed = makeTape({ markets: 1, frames: 16, hashes: true }).frames.map((frame) =>
  frame.toString("utf8"),
);

/**
 * How many times longer JSON.parse of a frame takes here, just now, than on the machine of performance.md, whose limits are
 * to be read times it. The fastest of some rounds, about 50 ms.
 */
export function machinePace(): number {
  let fastestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < parseRounds; round++) {
    const startedAt = performance.now();
    for (let i = 0; i < parsesPerRound; i++) JSON.parse(parsed[i % parsed.length] ?? "");
    fastestMs = Math.min(fastestMs, performance.now() - startedAt);
  }
  return (fastestMs * 1e6) / parsesPerRound / anchorParseNs;
}
