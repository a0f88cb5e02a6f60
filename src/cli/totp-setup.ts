import { newTotpSecret, totpUri } from "../bot/totp.ts";
import { exitDone, readArguments } from "./arguments.ts";

const help = `usage: pitboss totp-setup [--name NAME] [--json]
Makes a new secret for the six-digit code that /resume then needs. It is shown once and written nowhere.
  --name NAME  how the authenticator app shows this desk (default desk)
  --json       one JSON object with the secret and the URI
exit code: 0 shown, 2 wrong use
example: pitboss totp-setup --name live`;

/** `pitboss totp-setup`: shows a new secret of an authenticator app. Resolves to the exit code. */
export async function totpSetupCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(args, { name: { type: "string" }, json: { type: "boolean" } }, help);
  if (!read.ok) return read.exitCode;
  const secret = newTotpSecret();
  const uri = totpUri(secret, read.values.name ?? "desk");
  const text = read.values.json ? JSON.stringify({ secret, uri }) : instructions(secret, uri);
  process.stdout.write(`${text}\n`);
  return exitDone;
}

function instructions(secret: string, uri: string): string {
  return `secret: ${secret}
URI:    ${uri}
1. Add one of the two to an authenticator app, by hand or as a QR code that is made on this machine: not on the phone
   or account that runs Telegram, if you can, for the code guards against whoever takes that over.
2. In secrets.local.toml beside the config (mode 0600), under [telegram]:
     totp_secret = "${secret}"
3. Restart the service. From then on /resume needs the code.
It was written nowhere and is not shown again. Clear the terminal afterwards.`;
}
