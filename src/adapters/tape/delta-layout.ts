// The one layout of a price_change message that is kept as columns: the venue's own since September 2025, compact, its
// members in this order (polymarket-market-data 2.3). Every other frame is kept as its text. What is packed is put
// together again byte for byte: the packer accepts a number only in the spelling that the unpacker writes.

/** Literal parts between the values, in order. */
export const deltaParts = {
  market: '{"market":"',
  changes: '","price_changes":[',
  asset: '{"asset_id":"',
  price: '","price":"',
  size: '","size":"',
  side: '","side":"',
  hash: '","hash":"',
  bestBid: '","best_bid":"',
  bestAsk: '","best_ask":"',
  entryEnd: '"}',
  timestamp: '],"timestamp":"',
  end: '","event_type":"price_change"}',
} as const;

/** Bits of a change's flags. */
export const changeFlag = {
  /** The second of the market's tokens that the block names. */
  token1: 1,
  sell: 2,
  /** A hash of 40 digits stands in the column of hashes; else the frame has an empty one. */
  hashed: 4,
  /** The size stands in the column of big sizes. */
  bigSize: 8,
  /**
   * The message goes on with the same change said about the other token: at 1 - p on the other side, of the same size,
   * with the same best prices mirrored. Nothing but its hash is kept, behind the first one's.
   */
  mirrored: 16,
} as const;

/** Sizes are kept in hundredths of a share, which the venue's have (polymarket-market-data 2.3); others are "big". */
export const microPerSizeUnit = 10_000;
/** Price units (1/10,000 dollar) of a whole dollar. */
export const pricesTop = 10_000;
