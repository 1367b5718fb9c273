import { readFileSync } from 'node:fs';

/** What AWS takes for something. */
export interface Price {
  /** As the bill names it: `Amazon SQS`. */
  product: string;
  what: string;
  /** For `per` units; null where no price could be found. */
  price: number | null;
  per: number;
  unit: string;
  /** From when on it holds where that is known, otherwise when it was copied or read. */
  date: string;
  /** AWS's own page. */
  source: string;
  /** Where the figure was read. */
  evidence: string;
  /** False when the figure could not be read in AWS's words or a copy of its Price List. */
  verified: boolean;
}

export interface PriceTable {
  region: string;
  architecture: string;
  checked: string;
  note: string;
  prices: Readonly<Record<string, Price>>;
}

/** Reads prices.json. */
export function readPriceTable(): PriceTable {
  return JSON.parse(readFileSync(new URL('./prices.json', import.meta.url), 'utf8')) as PriceTable;
}

/**
 * The dollars for an amount; undefined where the table has no price for it.
 *
 * @throws Error when the table does not know the name at all
 */
export function dollarsFor({ prices }: PriceTable, name: string, amount: number): number | undefined {
  const { price, per } = priceOf(prices, name);
  return price === null ? undefined : (amount / per) * price;
}

export function priceOf(prices: PriceTable['prices'], name: string): Price {
  const price = prices[name];
  if (!price) throw new Error(`prices.json has no price "${name}"`);
  return price;
}
