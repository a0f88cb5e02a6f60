// What the documents tell an operator to type exists, with the options that they name.
import { readFileSync } from "node:fs";
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { keysAt } from "../../config/faults.ts";
import { configSchema } from "../../config/schema.ts";
import { commandList, commandNamed } from "../../src/cli/commands.ts";

const root = new URL("../../", import.meta.url).pathname;
const documents = [
  "docs/live.md",
  "docs/deployment.md",
  "docs/runbook.md",
  "deploy/pitboss.service",
];

function textOf(name: string): string {
  return readFileSync(`${root}${name}`, "utf8");
}

/** The command's own source, and the options that those talking to a service share. */
function sourceOf(command: string): string {
  // Two commands of one kind share a file.
  const file = command.replace(/^(relayer-approve)-.*/, "$1");
  return textOf(`src/cli/${file}.ts`) + textOf("src/cli/control.ts");
}

describe("the documents", () => {
  test.each(documents)("%s names commands and options that exist", (name) => {
    const typed = textOf(name).matchAll(
      /(?:pitboss\.mjs|main\.ts|(?:^ {4}|`)pitboss) ([a-z][a-z-]+)((?: [^\s`|]+)*)/gm,
    );
    const known = [...typed];
    for (const [line, command = "", rest = ""] of known) {
      expect(commandNamed(command), line).not.toBeNull();
      for (const [, option = ""] of rest.matchAll(/--([a-z-]+)/g)) {
        expect(sourceOf(command), line).toMatch(
          new RegExp(`["' ]?${option}["']?: \\{ type|--${option} `),
        );
      }
    }
    expect(known.length).toBeGreaterThan(0);
  });

  test("the configuration in docs/live.md has keys of the schema", () => {
    const block = /( {4}\[relayer\]\n(?: {4}.*\n|\n)+)/.exec(textOf("docs/live.md"))?.[1] ?? "";
    const tables = parse(block.replaceAll(/^ {4}/gm, "").replaceAll("…", ""));
    const names = Object.entries(tables).flatMap(([table, keys]) =>
      Object.keys(keys as object).map((key) => [table, key] as const),
    );
    expect(names.length).toBeGreaterThan(8);
    for (const [table, key] of names) expect(keysAt(configSchema, [table])).toContain(key);
  });

  test("README lists every command", () => {
    const readme = textOf("README.md");
    for (const [, name = ""] of commandList().matchAll(/^ {2}([a-z-]+) {2}/gm)) {
      expect(readme, name).toContain(`\`${name}`);
    }
  });
});
