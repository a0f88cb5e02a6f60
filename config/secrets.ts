// Keys and tokens: read from one file that only its owner can read, and kept in a wrapper that does not print.
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import { parse, type TomlTable } from "smol-toml";
import { ConfigError } from "./config-error.ts";
import { tomlFault } from "./faults.ts";
import { readOwnFile } from "./own-file.ts";

const redacted = "[redacted]";

/** A key or token. Every way of printing it gives "[redacted]"; only `reveal` gives the value. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself: for the signer, the HTTP client and the log's redaction, nobody else. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}

/** What the overlay may hold. Anything else in it is refused, so that no setting hides where nobody looks. */
export type Secrets = {
  readonly privateKey: Secret | null;
  /** Key of the venue's transaction relayer, made on the site for the signer's own address. */
  readonly relayerApiKey: Secret | null;
  readonly botToken: Secret | null;
  readonly webhookSecret: Secret | null;
  /** Base32 secret of the one-time code that /resume needs; null: it needs none. */
  readonly totpSecret: Secret | null;
  /** Of the database user in storage.url; null: the server asks for none. */
  readonly databasePassword: Secret | null;
};

type SecretRule = {
  readonly key: string;
  readonly field: keyof Secrets;
  readonly pattern: RegExp;
  readonly wanted: string;
};

/** The wanted texts describe the form only: a fault never repeats a value of this file. */
const secretRules: readonly SecretRule[] = [
  {
    key: "relayer.private_key",
    field: "privateKey",
    pattern: /^0x[0-9a-fA-F]{64}$/,
    wanted: "0x and 64 hex digits, in quotes",
  },
  {
    key: "relayer.relayer_api_key",
    field: "relayerApiKey",
    pattern: /^[A-Za-z0-9_=-]{8,200}$/,
    wanted: "the relayer API key as the site shows it: 8 to 200 letters, digits, _, = and -",
  },
  {
    key: "telegram.bot_token",
    field: "botToken",
    pattern: /^\d{6,12}:[A-Za-z0-9_-]{30,64}$/,
    wanted: "the token as BotFather gave it: digits, a colon, then at least 30 characters",
  },
  {
    key: "telegram.webhook_secret",
    field: "webhookSecret",
    pattern: /^[A-Za-z0-9_-]{32,256}$/,
    wanted: "32 to 256 letters, digits, _ and -",
  },
  {
    key: "telegram.totp_secret",
    field: "totpSecret",
    // 26 letters of five bits are the first to hold 16 bytes.
    pattern: /^[A-Za-z2-7]{26,128}={0,6}$/,
    wanted:
      "base32 of at least 16 bytes (26 letters and digits 2 to 7), as pitboss totp-setup shows it",
  },
  {
    key: "storage.password",
    field: "databasePassword",
    pattern: /^[\x21-\x7e]{8,200}$/,
    wanted: "the password of the database user: 8 to 200 visible ASCII characters",
  },
];

/** The overlay beside a config file. */
export function secretsFile(configFile: string): string {
  return join(dirname(configFile), "secrets.local.toml");
}

/** Their names in the checked configuration. */
export const secretFields: readonly string[] = secretRules.map((rule) => rule.field);

/** Every secret value that stands anywhere in a checked configuration: what no output may show. */
export function secretsIn(value: unknown): string[] {
  if (value instanceof Secret) return [value.reveal()];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(secretsIn);
}

/** Key paths that belong here and never in the main file. */
export const secretKeys: readonly string[] = secretRules.map((rule) => rule.key);

/** Reads the overlay; all null when there is none. Throws ConfigError when it is readable by others or holds anything else. */
export function readSecrets(file: string): Secrets {
  const none: Secrets = {
    privateKey: null,
    relayerApiKey: null,
    botToken: null,
    webhookSecret: null,
    totpSecret: null,
    databasePassword: null,
  };
  const contents = readOwnFile(file);
  if (contents === null) return none;
  let table: TomlTable;
  try {
    table = parse(contents, { unsafeKeyBehaviour: "throw", maxDepth: 4 });
  } catch (error) {
    throw new ConfigError([tomlFault(file, error)]);
  }
  const faults: string[] = [];
  const found: Record<string, Secret> = {};
  for (const [path, value] of leaves(table)) {
    const rule = secretRules.find((one) => one.key === path);
    if (rule === undefined) {
      faults.push(
        `${file}: ${path} does not belong in the secrets file: only ${secretKeys.join(", ")} do; put it into the config file`,
      );
    } else if (typeof value !== "string" || !rule.pattern.test(value)) {
      faults.push(`${file}: ${path} does not look right (not shown): write ${rule.wanted}`);
    } else {
      found[rule.field] = new Secret(value);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return { ...none, ...found };
}

function leaves(table: TomlTable, prefix = ""): [path: string, value: unknown][] {
  return Object.entries(table).flatMap(([key, value]): [string, unknown][] => {
    const path = `${prefix}${key}`;
    const isTable = typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);
    return isTable ? leaves(value, `${path}.`) : [[path, value]];
  });
}
