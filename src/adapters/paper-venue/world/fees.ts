export type Category =
  | "crypto"
  | "sports"
  | "economics"
  | "culture"
  | "weather"
  | "politics"
  | "finance"
  | "tech"
  | "geopolitics";

export type CategoryFee = {
  /** Taker fee rate, null when the category is free. */
  readonly feeRate: string | null;
  readonly feeType: string;
  readonly rebateRate: string;
};

/** The venue's published table (October 2026): fee = shares x rate x p x (1 - p), takers only. */
const table: Readonly<Record<Category, CategoryFee>> = {
  crypto: { feeRate: "0.07", feeType: "crypto_fees_v2", rebateRate: "0.2" },
  sports: { feeRate: "0.05", feeType: "sports_fees_v3", rebateRate: "0.15" },
  economics: { feeRate: "0.05", feeType: "economics_fees", rebateRate: "0.25" },
  culture: { feeRate: "0.05", feeType: "culture_fees", rebateRate: "0.25" },
  weather: { feeRate: "0.05", feeType: "weather_fees", rebateRate: "0.25" },
  politics: { feeRate: "0.04", feeType: "politics_fees", rebateRate: "0.25" },
  finance: { feeRate: "0.04", feeType: "finance_fees", rebateRate: "0.25" },
  tech: { feeRate: "0.04", feeType: "tech_fees", rebateRate: "0.25" },
  geopolitics: { feeRate: null, feeType: "zero_fees", rebateRate: "0" },
};

/** Fee schedule of a category. */
export function categoryFee(category: Category): CategoryFee {
  return table[category];
}
