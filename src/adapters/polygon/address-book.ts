/** Contracts of one chain that calls and approvals name. Injected, so that tests deploy their own. */
export type AddressBook = {
  /** Collateral, 6 decimals. */
  readonly pusd: string;
  readonly usdce: string;
  readonly onramp: string;
  readonly conditionalTokens: string;
  /** Split, merge and redeem for pUSD holders go here; the token contract itself would use USDC.e. */
  readonly collateralAdapter: string;
  readonly negRiskCollateralAdapter: string;
  /** Keeps fee and question count of each neg-risk market; only read. */
  readonly negRiskAdapter: string;
  readonly router: string;
  readonly positionManager: string;
  readonly exchange: string;
  readonly negRiskExchange: string;
  readonly exchangeV3: string;
  readonly depositWalletFactory: string;
  readonly proxyFactory: string;
  readonly relayHub: string;
};

/** Polygon, chain 137 (polymarket-trading 5.1; relay hub from the venue's own client). */
export const polygonAddresses: AddressBook = {
  pusd: "0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB",
  usdce: "0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174",
  onramp: "0x93070a847efEf7F70739046A929D47a521F5B8ee",
  conditionalTokens: "0x4D97DCd97eC945f40cF65F87097ACe5EA0476045",
  collateralAdapter: "0xAdA100Db00Ca00073811820692005400218FcE1f",
  negRiskCollateralAdapter: "0xadA2005600Dec949baf300f4C6120000bDB6eAab",
  negRiskAdapter: "0xd91E80cF2E7be2e162c6513ceD06f1dD0dA35296",
  router: "0x12121212006e4CD160D18e3f00711DA5c3372600",
  positionManager: "0x006F54F7f9A22e0000CC2AB60031000000ae9fEF",
  exchange: "0xE111180000d2663C0091e4f400237545B87B996B",
  negRiskExchange: "0xe2222d279d744050d28e00520010520000310F59",
  exchangeV3: "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
  depositWalletFactory: "0x00000000000Fb5C9ADea0298D729A0CB3823Cc07",
  proxyFactory: "0xaB45c5A4B0c941a2F231C04C3f49182e1A254052",
  relayHub: "0xD216153c06E857cD7f72665E0aF1d7D82172F494",
};
