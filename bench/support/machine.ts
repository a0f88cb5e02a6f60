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
  /** Nanoseconds of JSON.parse for a price_change frame: how fast this machine is just now. */
  readonly parseNs: number;
  readonly at: string;
};

/** The same on the machine of performance.md, section 1a, Node 24: its limits are to be read times the ratio of both. */
export const anchorParseNs = 1_610;

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
    parseNs: parseNs(),
    at: new Date().toISOString(),
  };
}

const parseRounds = 9;
const parsesPerRound = 20_000;

/** The fastest of some rounds: what the machine can do, whatever else it has to do. */
function parseNs(): number {
  const { frames } = makeTape({ markets: 1, frames: 16, hashes: true });
  const texts = frames.map((frame) => frame.toString("utf8"));
  let fastest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < parseRounds; round++) {
    const startedAt = performance.now();
    for (let i = 0; i < parsesPerRound; i++) JSON.parse(texts[i % texts.length] ?? "");
    fastest = Math.min(fastest, ((performance.now() - startedAt) * 1e6) / parsesPerRound);
  }
  return fastest;
}
