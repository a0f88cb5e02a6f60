import type { Category } from "./fees.ts";

export type OutcomeEntry = {
  readonly title: string;
  readonly slug: string;
  /** Starting fair value in 1/10,000; those of a group add up to 10,000. */
  readonly fair: number;
  readonly kind?: "placeholder" | "other";
};

/** An event with exactly one winner, one market per outcome. */
export type GroupEntry = {
  readonly slug: string;
  readonly title: string;
  /** `{x}` is the outcome, `{date}` the end date. */
  readonly question: string;
  readonly rules: string;
  readonly category: Category;
  readonly version: "v1" | "v2";
  readonly augmented: boolean;
  /** Resting dollars a side, before the seed's spread. */
  readonly depthUsd: number;
  readonly monthsAhead: number;
  readonly outcomes: readonly OutcomeEntry[];
};

export type BinaryEntry = {
  readonly slug: string;
  readonly question: string;
  readonly rules: string;
  readonly category: Category;
  readonly version: "v1" | "v2";
  readonly outcomes: readonly [string, string];
  readonly fair: number;
  /** Tick in 1/10,000. */
  readonly tick: number;
  readonly depthUsd: number;
  readonly monthsAhead: number;
  readonly secondsDelay: number;
};

function outcome(title: string, slug: string, fair: number): OutcomeEntry {
  return { title, slug, fair };
}

/** Everything here is invented: towns, parties, companies and films that do not exist. */
export const groups: readonly GroupEntry[] = [
  {
    slug: "harbor-league-champion",
    title: "Harbor League Champion",
    question: "Will {x} win the Harbor League by {date}?",
    rules: "Resolves to the club that is officially named champion of the Harbor League.",
    category: "sports",
    version: "v1",
    augmented: false,
    depthUsd: 14_000,
    monthsAhead: 5,
    outcomes: [
      outcome("Port Ellery", "port-ellery", 3100),
      outcome("Kestrel Bay", "kestrel-bay", 2400),
      outcome("Stonebridge", "stonebridge", 1800),
      outcome("Marlow", "marlow", 1400),
      outcome("Fenwick", "fenwick", 800),
      outcome("Dunmore", "dunmore", 500),
    ],
  },
  {
    slug: "northmark-rate-decision",
    title: "Northmark central bank decision",
    question: "Northmark central bank, meeting before {date}: {x}?",
    rules: "Resolves by the published decision of the Northmark central bank's next meeting.",
    category: "economics",
    version: "v1",
    augmented: false,
    depthUsd: 20_000,
    monthsAhead: 1,
    outcomes: [
      outcome("No change", "no-change", 5200),
      outcome("25 bps decrease", "25-bps-decrease", 2700),
      outcome("25 bps increase", "25-bps-increase", 1100),
      outcome("50+ bps decrease", "50-bps-decrease", 700),
      outcome("50+ bps increase", "50-bps-increase", 300),
    ],
  },
  {
    slug: "valdoria-election-winner",
    title: "Valdoria general election: largest party",
    question: "Will the {x} win the most seats in Valdoria by {date}?",
    rules: "Resolves to the party with the most seats by the certified result.",
    category: "politics",
    version: "v1",
    augmented: false,
    depthUsd: 16_000,
    monthsAhead: 3,
    outcomes: [
      outcome("Union Party", "union-party", 3800),
      outcome("Green Alliance", "green-alliance", 2600),
      outcome("Liberal Reform", "liberal-reform", 2100),
      outcome("Farmers' League", "farmers-league", 1500),
    ],
  },
  {
    slug: "meridian-best-film",
    title: "Meridian Awards: Best Film",
    question: "Will “{x}” win Best Film at the Meridian Awards by {date}?",
    rules: "Resolves to the film announced as Best Film at the ceremony.",
    category: "culture",
    version: "v1",
    augmented: false,
    depthUsd: 6_000,
    monthsAhead: 4,
    outcomes: [
      outcome("The Glass Orchard", "the-glass-orchard", 3400),
      outcome("Northern Light", "northern-light", 2300),
      outcome("Salt Road", "salt-road", 2000),
      outcome("Eleven Rivers", "eleven-rivers", 1400),
      outcome("A Quiet Meridian", "a-quiet-meridian", 900),
    ],
  },
  {
    slug: "kestrel-bay-high",
    title: "Highest temperature in Kestrel Bay",
    question: "Will the highest temperature in Kestrel Bay on {date} be {x}?",
    rules: "Resolves by the daily summary of the Kestrel Bay airport station.",
    category: "weather",
    version: "v1",
    augmented: false,
    depthUsd: 3_000,
    monthsAhead: 1,
    outcomes: [
      outcome("23-24°C", "23-24", 3300),
      outcome("25-26°C", "25-26", 2600),
      outcome("21-22°C", "21-22", 1900),
      outcome("27°C or more", "27-or-more", 1600),
      outcome("20°C or less", "20-or-less", 600),
    ],
  },
  {
    slug: "next-northmark-listing",
    title: "Next company to list on the Northmark Exchange",
    question: "Will {x} be the next company to list on the Northmark Exchange by {date}?",
    rules:
      "Resolves to the first company to list. Unnamed companies resolve to Other; names may be added.",
    category: "tech",
    version: "v1",
    augmented: true,
    depthUsd: 5_000,
    monthsAhead: 6,
    outcomes: [
      outcome("Aurora Systems", "aurora-systems", 2900),
      outcome("Brightwell Robotics", "brightwell-robotics", 2200),
      outcome("Cobalt Energy", "cobalt-energy", 1600),
      outcome("Delphin Health", "delphin-health", 900),
      { title: "Company A", slug: "company-a", fair: 0, kind: "placeholder" },
      { title: "Company B", slug: "company-b", fair: 0, kind: "placeholder" },
      { title: "Other", slug: "other", fair: 2400, kind: "other" },
    ],
  },
  {
    slug: "lighthouse-benchmark-leader",
    title: "Lighthouse benchmark: leading lab",
    question: "Will {x} lead the Lighthouse benchmark on {date}?",
    rules: "Resolves to the lab in first place of the public table at the end of the day.",
    category: "tech",
    version: "v2",
    augmented: false,
    depthUsd: 9_000,
    monthsAhead: 2,
    outcomes: [
      outcome("Halcyon Lab", "halcyon-lab", 4400),
      outcome("Borealis Lab", "borealis-lab", 3300),
      outcome("Cirrus Lab", "cirrus-lab", 2300),
    ],
  },
  {
    slug: "selby-strait-talks-host",
    title: "Selby Strait talks: host city",
    question: "Selby Strait talks by {date}: {x}?",
    rules: "Resolves to the city where the delegations first meet in person, or to “No talks”.",
    category: "geopolitics",
    version: "v1",
    augmented: false,
    depthUsd: 7_500,
    monthsAhead: 2,
    outcomes: [
      outcome("Lundholm", "lundholm", 3600),
      outcome("Aldermouth", "aldermouth", 2700),
      outcome("Castra", "castra", 2200),
      outcome("No talks", "no-talks", 1500),
    ],
  },
];

type BinaryDefaults = Partial<
  Pick<BinaryEntry, "outcomes" | "tick" | "secondsDelay" | "version" | "depthUsd">
>;

function binary(
  slug: string,
  question: string,
  category: Category,
  numbers: { readonly fair: number; readonly monthsAhead: number },
  other: BinaryDefaults = {},
): BinaryEntry {
  return {
    slug,
    question,
    category,
    rules: "Resolves by official announcements; otherwise by a consensus of credible reporting.",
    outcomes: ["Yes", "No"],
    tick: 100,
    secondsDelay: 0,
    version: "v1",
    depthUsd: 6_000,
    ...numbers,
    ...other,
  };
}

export const binaries: readonly BinaryEntry[] = [
  binary(
    "bitcoin-above-150k",
    "Will Bitcoin trade above $150,000 by {date}?",
    "crypto",
    { fair: 3400, monthsAhead: 1 },
    { depthUsd: 18_000 },
  ),
  binary(
    "ethereum-above-6k",
    "Will Ethereum trade above $6,000 by {date}?",
    "crypto",
    { fair: 2700, monthsAhead: 2 },
    { depthUsd: 12_000 },
  ),
  binary(
    "northmark-inflation-above-3",
    "Will Northmark inflation exceed 3.0% in the release before {date}?",
    "economics",
    { fair: 4100, monthsAhead: 1 },
  ),
  binary(
    "valdoria-coalition-collapse",
    "Will the Valdoria coalition government collapse by {date}?",
    "politics",
    { fair: 2200, monthsAhead: 3 },
  ),
  binary(
    "aurora-home-robot",
    "Will Aurora Systems release a home robot by {date}?",
    "tech",
    { fair: 4600, monthsAhead: 4 },
    { depthUsd: 2_500 },
  ),
  binary(
    "borealis-satellite-network",
    "Will the Borealis network have 1,000 satellites in orbit by {date}?",
    "tech",
    { fair: 5700, monthsAhead: 6 },
    { version: "v2" },
  ),
  binary(
    "kestrel-bay-storm",
    "Will a category 3 storm reach Kestrel Bay by {date}?",
    "weather",
    { fair: 1900, monthsAhead: 2 },
    { depthUsd: 1_200 },
  ),
  binary(
    "port-ellery-stonebridge",
    "Port Ellery vs. Stonebridge",
    "sports",
    { fair: 5300, monthsAhead: 1 },
    { outcomes: ["Port Ellery", "Stonebridge"], tick: 25, secondsDelay: 1, depthUsd: 8_000 },
  ),
  binary(
    "kestrel-bay-marlow",
    "Kestrel Bay vs. Marlow",
    "sports",
    { fair: 6100, monthsAhead: 1 },
    { outcomes: ["Kestrel Bay", "Marlow"], tick: 50, depthUsd: 8_000 },
  ),
  binary(
    "glass-orchard-gross",
    "Will “The Glass Orchard” gross $300 million by {date}?",
    "culture",
    { fair: 3800, monthsAhead: 5 },
    { depthUsd: 900 },
  ),
  binary("cobalt-energy-above-80", "Will Cobalt Energy close above $80 by {date}?", "finance", {
    fair: 4900,
    monthsAhead: 1,
  }),
  binary(
    "selby-strait-reopens",
    "Will the Selby Strait reopen to shipping by {date}?",
    "geopolitics",
    { fair: 6300, monthsAhead: 3 },
    { depthUsd: 10_000 },
  ),
  binary(
    "northmark-valdoria-union",
    "Will Northmark and Valdoria announce a currency union by {date}?",
    "economics",
    { fair: 350, monthsAhead: 6 },
    { tick: 10, depthUsd: 1_500 },
  ),
  binary(
    "marlow-bridge-opens",
    "Will the Marlow bridge open to traffic by {date}?",
    "politics",
    { fair: 9680, monthsAhead: 2 },
    { tick: 10, depthUsd: 4_000 },
  ),
];
