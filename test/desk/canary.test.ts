// Every error path that can be reached is walked with real secrets in play; then everything that was written is searched.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { traders } from "../../src/bot/local/desk.ts";
import { DeskRig } from "./desk-rig.ts";

const allMs = 120_000;

/** Where the secrets themselves live; the venue's own folder is another party's. */
const secretStores = /(?:secrets\.local\.toml|api-key\.json|^venue\/.*)$/;

/** How a value turns up: as it is, encoded for a URL, in base64, as a number. */
function formsOf(secret: string): string[] {
  const hex = /^0x([0-9a-f]{64})$/.exec(secret)?.[1];
  const bytes = Buffer.from(secret);
  const forms = [
    secret,
    encodeURIComponent(secret),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
    bytes.toString("hex"),
  ];
  if (hex === undefined) return forms;
  const raw = Buffer.from(hex, "hex");
  return [...forms, hex, raw.toString("base64").replace(/=+$/, ""), BigInt(secret).toString()];
}

function secretsIn(dir: string): Map<string, string> {
  const toml = readFileSync(join(dir, "secrets.local.toml"), "utf8");
  const found = new Map<string, string>();
  for (const [, name = "", value = ""] of toml.matchAll(/^(\w+) = "(.+)"$/gm))
    found.set(name, value);
  const key = JSON.parse(readFileSync(join(dir, "api-key.json"), "utf8")) as Record<string, string>;
  for (const name of ["secret", "passphrase"]) found.set(`api ${name}`, key[name] ?? "");
  // What follows the colon is the secret half of a token.
  found.set("token's second half", (found.get("bot_token") ?? ":").split(":")[1] ?? "");
  return found;
}

/** Every file of the desk, the ledger's database with its log included. */
function sinksIn(dir: string): [name: string, bytes: Buffer][] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((name) => !secretStores.test(name) && statSync(join(dir, name)).isFile())
    .map((name) => [name, readFileSync(join(dir, name))]);
}

const everyVenueError = [
  'status path=.* code=401 body={"error":"Unauthorized/Invalid_api_key"} times=4',
  "status path=.* code=500 times=4",
  "garbage path=.* times=4",
  "truncate path=.* times=4",
  "drop-before path=.* times=4",
  "drop-after path=.* times=4",
];
const everyChatError = [
  "unauthorized times=2",
  "status code=500 times=2",
  "status code=404 times=2",
  "garbage times=2",
  "drop-before times=2",
  "drop-after times=2",
  "too-many-requests retry_after=1 times=1",
];

test("no secret comes out of any sink, whatever fails (X2, X3, TG1, TG15)", {
  timeout: allMs,
}, async () => {
  await using rig = await DeskRig.open(["--still"], ["service.log_level=debug"]);
  await rig.play("/status\n!expect Trading on");
  const { dir } = rig;
  const secrets = secretsIn(dir);
  const { emulator } = rig.desk;
  const told = () => emulator.events.filter((event) => event.dir === "out").length;
  const say = async (text: string) => {
    const before = told();
    emulator.send(traders[0].id, text);
    await rig.until(`an answer to ${text.slice(0, 12)}`, () => told() > before);
  };
  for (const fault of everyVenueError) {
    await rig.play(`!fault venue ${fault}`);
    await say("/buy selby-strait-reopens yes 10sh @0.40");
    rig.pressAll(/^Confirm/u);
  }
  for (const fault of everyChatError) {
    await rig.play(`!fault chat ${fault}`);
    await say("/status");
  }
  // A key and a seed phrase in the chat: deleted, warned about, stored nowhere.
  await say((secrets.get("private_key") ?? "").slice(2));
  await say("legal winner thank year wave sausage worth useful legal winner thank yellow");
  await rig.play("/kill drill\n!expect KILL ON");
  await rig.play("!crash now\n!restart\n/status\n!expect KILLED");

  const chat = emulator.events.filter((event) => event.dir === "out");
  const sinks: [string, Buffer][] = [...sinksIn(dir), ["chat", Buffer.from(JSON.stringify(chat))]];
  expect(sinks.map(([name]) => name)).toEqual(
    expect.arrayContaining(["service.log", "ledger.db", "desk.toml", "chat"]),
  );
  expect(chat.length).toBeGreaterThan(10);
  expect([...secrets.keys()]).toEqual(
    expect.arrayContaining(["private_key", "bot_token", "api secret", "api passphrase"]),
  );
  const leaks: string[] = [];
  for (const [name, secret] of secrets) {
    expect(secret.length, name).toBeGreaterThan(10);
    for (const form of formsOf(secret)) {
      for (const [sink, bytes] of sinks) if (bytes.includes(form)) leaks.push(`${name} in ${sink}`);
    }
  }
  for (const [sink, bytes] of sinks) {
    if (bytes.includes("sausage worth useful")) leaks.push(`the seed phrase in ${sink}`);
  }
  expect(leaks).toEqual([]);
});

test("a one-time code and its secret are in no sink, and the code stays in no chat (TG16)", {
  timeout: allMs,
}, async () => {
  const overrides = ["service.log_level=debug", "telegram.resume_wait_ms=0"];
  await using rig = await DeskRig.open(["--still"], overrides, true);
  const { desk, dir } = rig;
  await rig.play("/kill\n!expect KILL ON\n/resume\n!expect Then send the six digits");
  const typed: string[] = [];
  const type = async (before: string, stepsAhead: 0 | 1, answer: string) => {
    const code = desk.resumeCode(stepsAhead);
    typed.push(code);
    await rig.play(`${before}${code}\n!expect ${answer}`);
  };
  await type("", 0, "TRADING ON since");
  await rig.play("/kill\n!expect KILL ON");
  await type("/resume ", 1, "you have no open /resume");
  await rig.play("/resume\n!expect Then send the six digits");
  await type("/resume ", 1, "TRADING ON since");
  const isGone = (code: string) =>
    desk.emulator.history(traders[0].id).every((one) => !(one.text ?? "").includes(code));
  await rig.until("every code was deleted", () => typed.every(isGone));
  const secret = secretsIn(dir).get("totp_secret") ?? "";
  expect(secret).toMatch(/^[A-Z2-7]{32}$/);
  const leaks: string[] = [];
  for (const [name, bytes] of sinksIn(dir)) {
    if (formsOf(secret).some((form) => bytes.includes(form))) leaks.push(`the secret in ${name}`);
    const text = bytes.toString("latin1");
    // Six digits turn up by chance inside longer numbers and hashes; a kept message would have them alone.
    const kept = typed.filter((code) => new RegExp(`(?<!\\w)${code}(?!\\w)`).test(text));
    if (kept.length > 0) leaks.push(`a code in ${name}`);
  }
  expect(leaks).toEqual([]);
});
