import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of a case's own, with the user's state folder in it so that no lease of this machine is touched; both end with `stack`. */
export function scratchFolder(stack: AsyncDisposableStack, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `pitboss-bench-${name}-`));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const userState = process.env["XDG_STATE_HOME"];
  process.env["XDG_STATE_HOME"] = join(folder, "user");
  stack.defer(() => {
    if (userState === undefined) delete process.env["XDG_STATE_HOME"];
    else process.env["XDG_STATE_HOME"] = userState;
  });
  return folder;
}
