import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;

/** The package's version and a digest of the code that runs, so that every order names what made it. */
export function codeVersion(): string {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly version: string;
  };
  const hash = createHash("sha256");
  for (const folder of ["src", "config"]) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .sort();
    for (const name of names)
      hash.update(`${name}\n`).update(readFileSync(join(root, folder, name)));
  }
  return `${manifest.version}+${hash.digest("hex").slice(0, 12)}`;
}
