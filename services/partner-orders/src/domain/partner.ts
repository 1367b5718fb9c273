import { ConfigurationError } from '@millrace/errors';

/** What was agreed with a company that sends us its customers' orders. */
export interface Partner {
  /** Part of the names of its queue and pipe, and of its customer id. */
  name: string;
  /** ISO 4217: what its customers pay in. */
  currencies: readonly string[];
}

const agreements: Readonly<Record<string, Omit<Partner, 'name'>>> = {
  acme: { currencies: ['EUR', 'CHF'] },
};

/**
 * A partner by its name.
 * @throws ConfigurationError for a name without an agreement
 * @example partnerFrom('acme').currencies // ['EUR', 'CHF']
 */
export function partnerFrom(name: string): Partner {
  const agreement = Object.hasOwn(agreements, name) ? agreements[name] : undefined;
  if (!agreement) {
    throw new ConfigurationError('MILLRACE_PARTNER', `one of ${Object.keys(agreements).join(', ')}, not "${name}"`);
  }
  return { name, ...agreement };
}

/** The customer id of all orders of a partner. A token with this subject lists them. */
export function customerIdOf({ name }: Partner): string {
  return `partner:${name}`;
}
