// Rules that hold between keys, and what a service that trades needs beyond a well-formed file.
import type { Config } from "./config.ts";
import type { ConfigFile } from "./schema.ts";

const loopback = /^(127(\.\d{1,3}){3}|localhost|\[::1\])$/;

/** Contradictions inside one file. */
export function crossFaults(file: string, config: ConfigFile): string[] {
  const faults: string[] = [];
  const demand = (holds: boolean, sentence: string) => {
    if (!holds) faults.push(`${file}: ${sentence}`);
  };
  const { venue_waits: waits, risk, dutch, storage } = config;
  demand(
    waits.quarantine_ms >= waits.order_deadline_ms,
    `venue_waits.quarantine_ms was ${waits.quarantine_ms}: write at least order_deadline_ms (${waits.order_deadline_ms}), or an order could be believed absent while it may still be sent`,
  );
  demand(
    waits.query_backoff_ms.length > 0,
    "venue_waits.query_backoff_ms was []: write at least one wait, such as [500, 1000, 2000, 5000]",
  );
  demand(
    risk.book_refresh_age_ms <= risk.book_max_age_ms,
    `risk.book_refresh_age_ms was ${risk.book_refresh_age_ms}: write at most book_max_age_ms (${risk.book_max_age_ms})`,
  );
  demand(
    dutch.min_size <= dutch.max_size,
    "dutch.min_size is above dutch.max_size: write a smaller one",
  );
  demand(
    storage.kind === "postgres" || storage.url === null,
    'storage.url is only for kind = "postgres": remove it or set the kind',
  );
  demand(
    storage.kind === "sqlite" || storage.url !== null,
    'storage.url is missing: kind = "postgres" needs the database, such as "postgres://pitboss@127.0.0.1/pitboss"',
  );
  demand(
    loopback.test(config.telemetry.metrics_listen.replace(/:\d+$/u, "")),
    `telemetry.metrics_listen was "${config.telemetry.metrics_listen}": write 127.0.0.1 and a port; the page says what this desk holds and nobody asks who reads it`,
  );
  for (const [i, market] of config.market.entries()) {
    demand(
      (market.slug === null) !== (market.condition_id === null),
      `market[${i + 1}] needs exactly one of slug and condition_id: write one of them`,
    );
  }
  return faults;
}

/** A file that says "paper" must be unable to reach a real venue, and real money takes no shortcuts. */
export function liveFaults(config: Config): string[] {
  const { relayer, file, telegram, venueWaits } = config;
  const urls = {
    base_url: relayer.baseUrl,
    relayer_url: relayer.relayerUrl,
    gamma_url: relayer.gammaUrl,
    data_url: relayer.dataUrl,
    ws_url: relayer.wsUrl,
    geoblock_url: relayer.geoblockUrl,
    ...(relayer.rpcUrl === null ? {} : { rpc_url: relayer.rpcUrl }),
  };
  const faults: string[] = [];
  let outside = false;
  for (const [key, value] of Object.entries(urls)) {
    const url = new URL(value);
    if (loopback.test(url.hostname)) continue;
    outside = true;
    if (relayer.type === "fake") {
      faults.push(
        `${file}: relayer.${key} was "${value}": type = "fake" talks only to this machine; write an address on 127.0.0.1, or type = "real"`,
      );
    } else if (url.protocol !== "https:" && url.protocol !== "wss:") {
      faults.push(`${file}: relayer.${key} was "${value}": write it with https:// or wss://`);
    }
  }
  for (const [key, value] of Object.entries({
    api_root: telegram.apiRoot,
    webhook_url: telegram.webhookUrl,
  })) {
    if (value === null || value.startsWith("https://")) continue;
    if (loopback.test(new URL(value).hostname)) continue;
    faults.push(
      `${file}: telegram.${key} was "${value}": write it with https://, or the bot token travels in the clear`,
    );
  }
  if (outside && venueWaits.timeScale !== 1) {
    faults.push(
      `${file}: venue_waits.time_scale was ${venueWaits.timeScale}: write 1; shorter waits are for tests against a venue on this machine`,
    );
  }
  return faults;
}

/** What is missing for a service that talks to people and signs orders. */
export function serviceFaults(config: Config): string[] {
  const { file, relayer, telegram } = config;
  const faults: string[] = [];
  const demand = (holds: boolean, sentence: string) => {
    if (!holds) faults.push(`${file}: ${sentence}`);
  };
  demand(
    telegram.whitelist.length > 0,
    "telegram.whitelist is empty: write the Telegram user ids that may trade, such as [123456789]; an empty list lets nobody in and does not start",
  );
  demand(
    telegram.botToken !== null,
    'telegram.bot_token is missing: write bot_token = "…" under [telegram] in secrets.local.toml beside this file',
  );
  demand(
    relayer.privateKey !== null || relayer.keystore !== null,
    'relayer.private_key is missing: write private_key = "0x…" under [relayer] in secrets.local.toml beside this file, or make a keystore with  pitboss key-import',
  );
  demand(
    relayer.privateKey === null || relayer.keystore === null,
    "relayer.keystore and a private_key are both there: remove one, so that it is plain which key trades",
  );
  demand(
    relayer.keystore === null || relayer.signer !== null,
    "relayer.signer is missing: write the keystore's address, so that another key in its place is noticed",
  );
  if (telegram.transport === "webhook") {
    demand(
      telegram.webhookUrl !== null,
      'telegram.webhook_url is missing: write the public https:// address that Telegram calls, or transport = "polling"',
    );
    demand(
      telegram.webhookSecret !== null,
      "telegram.webhook_secret is missing: write one of at least 32 characters into secrets.local.toml; without it anybody could post commands",
    );
  }
  demand(
    relayer.signatureType === 0 || relayer.funder !== null,
    `relayer.funder is missing: signature_type = ${relayer.signatureType} needs the address of the wallet that holds the money`,
  );
  if (relayer.signer !== null) faults.push(...funderFaults(config, relayer.signer));
  return [...faults, ...notBuiltYet(config).map((sentence) => `${file}: ${sentence}`)];
}

/** A wallet that contradicts its kind: every order of it would be refused by the venue, or worse, hold other money. */
export function funderFaults(config: Config, signer: string): string[] {
  const { file, relayer } = config;
  const { signatureType, funder } = relayer;
  const isOwn = funder?.toLowerCase() === signer.toLowerCase();
  if (signatureType === 0 && funder !== null && !isOwn) {
    return [
      `${file}: relayer.funder was "${funder}": signature_type = 0 is a plain wallet that holds its own money (${signer}); remove funder, or write the type of the wallet that it names (1 proxy, 2 Safe, 3 deposit wallet)`,
    ];
  }
  if (signatureType !== 0 && isOwn) {
    return [
      `${file}: relayer.funder was "${funder}", the key's own address: signature_type = ${signatureType} needs the address of the wallet that the key signs for; write it, or signature_type = 0`,
    ];
  }
  return [];
}

/** Settings that a service of this version would silently not follow; refused until it does. */
function notBuiltYet(config: Config): string[] {
  const asked: readonly (readonly [boolean, string])[] = [
    [config.service.updateMode !== "stream", 'service.update_mode: write "stream"'],
    [config.copy.enabled, "copy.enabled: write false"],
    [
      config.markets.some((market) => market.strategies.length > 0),
      "market strategies: write strategies = []",
    ],
  ];
  return asked
    .filter(([isAsked]) => isAsked)
    .map(([, sentence]) => `this version cannot do that yet, ${sentence}`);
}
