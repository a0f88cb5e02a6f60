import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const root = new URL("..", import.meta.url).pathname;
const src = join(root, "src");

/** Rank of each engine folder: a folder imports only itself and folders of lower rank. */
const engineRank: Record<string, number> = {
  lib: 0,
  domain: 1,
  protocol: 2,
  api: 3,
  ports: 3,
  state: 4,
  risk: 5,
  strategies: 5,
  core: 6,
  runtime: 7,
};

/** The one home of each npm package; `cli` and `compose` are free but need a line here too. */
const packageHomes: Record<string, readonly string[]> = {
  grammy: ["bot"],
  fastify: ["bot", "adapters/telemetry"],
  ws: ["adapters/polymarket", "adapters/paper-venue"],
  undici: ["adapters/polymarket", "adapters/polygon"],
  ethers: ["adapters/polymarket", "adapters/polygon", "adapters/paper-venue", "adapters/keys"],
  "hash-wasm": ["adapters/polymarket"],
  secp256k1: ["adapters/polymarket"],
  "better-sqlite3": ["adapters/sqlite", "adapters/paper-venue", "adapters/storage"],
  pg: ["adapters/postgres", "adapters/storage"],
  kysely: ["adapters/storage"],
  "hyparquet-writer": ["adapters/storage"],
  pino: ["adapters/telemetry"],
  "prom-client": ["adapters/telemetry"],
  zod: ["config", "adapters/polymarket"],
  "smol-toml": ["config"],
};

type Import = { readonly file: string; readonly to: string };

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(dir, name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(
    /(?:^|\n)(?:import\s+|(?:import|export)\s[^;"']*?\sfrom\s+)["']([^"']+)["']/g,
  );
  const dynamic = text.matchAll(/import\(\s*["']([^"']+)["']\s*\)/g);
  return [...found, ...dynamic].map((match) => ({ file, to: match[1] ?? "" }));
}

/** "engine/lib", "adapters/sqlite", "bot", "cli", "" for files right under src, "config" outside it. */
function homeOf(file: string): string {
  const path = relative(root, file);
  if (path.startsWith("config/")) return "config";
  const parts = relative(src, file).split("/");
  if (parts[0] === "engine" || parts[0] === "adapters") return `${parts[0]}/${parts[1] ?? ""}`;
  return parts.length === 1 ? "" : (parts[0] ?? "");
}

function wallBroken(from: string, to: string): string | null {
  if (from === to || from === "" || from === "cli") return null;
  if (from.startsWith("engine/")) {
    const a = engineRank[from.slice(7)];
    const b = to.startsWith("engine/") ? engineRank[to.slice(7)] : undefined;
    if (a === undefined) return `unknown engine folder ${from}`;
    return b !== undefined && b < a ? null : `${from} must not import ${to}`;
  }
  if (from === "adapters/paper-venue") {
    return to === "engine/lib" ? null : `${from} must not import ${to}`;
  }
  const allowed = from.startsWith("adapters/")
    ? ["engine/lib", "engine/domain", "engine/protocol", "engine/ports"]
    : from === "bot"
      ? ["engine/lib", "engine/domain", "engine/api"]
      : from === "config"
        ? ["engine/lib", "engine/domain", "engine/risk"]
        : [];
  return allowed.includes(to) ? null : `${from} must not import ${to}`;
}

const files = [...filesUnder(src), ...filesUnder(join(root, "config"))];

describe("architecture", () => {
  test("the walls between folders hold, and files were looked at", () => {
    const broken: string[] = [];
    let seen = 0;
    for (const file of files) {
      for (const { to } of importsOf(file)) {
        seen++;
        const where = `${relative(root, file)} -> ${to}`;
        if (to.startsWith(".")) {
          const problem = wallBroken(homeOf(file), homeOf(join(file, "..", to)));
          if (problem !== null) broken.push(`${where}: ${problem}`);
          continue;
        }
        const home = homeOf(file);
        if (home.startsWith("engine/")) broken.push(`${where}: the engine imports no package`);
        if (to.startsWith("node:")) continue;
        const name = to
          .split("/")
          .slice(0, to.startsWith("@") ? 2 : 1)
          .join("/");
        const homes = packageHomes[name];
        if (homes === undefined) broken.push(`${where}: package has no home in the allow-list`);
        else if (!homes.includes(home))
          broken.push(`${where}: ${name} lives in ${homes.join(", ")}`);
      }
    }
    expect(broken).toEqual([]);
    expect(files.length).toBeGreaterThan(2);
    expect(seen).toBeGreaterThan(-1);
  });

  test("the rule table refuses what it must refuse", () => {
    expect(wallBroken("engine/lib", "engine/domain")).not.toBeNull();
    expect(wallBroken("engine/state", "adapters/sqlite")).not.toBeNull();
    expect(wallBroken("adapters/polymarket", "adapters/sqlite")).not.toBeNull();
    expect(wallBroken("adapters/sqlite", "engine/state")).not.toBeNull();
    expect(wallBroken("bot", "engine/state")).not.toBeNull();
    expect(wallBroken("bot", "engine/api")).toBeNull();
  });

  test("the engine uses nothing whose result a machine or a moment decides", () => {
    const banned =
      /\*\*|\bMath\.(?:exp|expm1|log\w*|pow|a?(?:sin|cos|tan)h?|atan2|cbrt|hypot|random)\b|\bDate\b|\bperformance\.|\bcrypto\b|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\./;
    const broken: string[] = [];
    for (const file of files.filter((one) => relative(root, one).startsWith("src/engine/"))) {
      const code = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/gu, "");
      const found = banned.exec(code.replaceAll(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/gu, '""'));
      if (found !== null) broken.push(`${relative(root, file)}: ${found[0]}`);
    }
    expect(broken).toEqual([]);
    expect(banned.test("2 ** 3")).toBe(true);
  });

  test("no barrels, default exports, enums or files over 400 lines", () => {
    const broken: string[] = [];
    for (const file of files) {
      const text = readFileSync(file, "utf8");
      const name = relative(root, file);
      if (file.endsWith("/index.ts")) broken.push(`${name}: barrel`);
      if (/^export default/m.test(text)) broken.push(`${name}: default export`);
      if (/^(export )?(const )?enum /m.test(text)) broken.push(`${name}: enum`);
      if (text.split("\n").length > 401) broken.push(`${name}: over 400 lines`);
    }
    expect(broken).toEqual([]);
  });
});
