import type { Caller, ProblemError } from '@millrace/http';

/** Whom the shop may send mail and SMS to because of an order. */
export interface ContactPolicy {
  /**
   * `required`: only to addresses that the caller's token names as verified. `optional`: also to any other one, as long as
   * the token names none; where it does, it counts.
   */
  verified: 'required' | 'optional';
  /** SMS go to numbers that begin with one of these, e.g. `+49`; `+` stands for all. */
  smsPrefixes: readonly string[];
}

/**
 * What an order's addresses have against them. Without verified addresses whoever may place orders could let the shop
 * write to anybody, and without a list of countries its SMS could go to numbers that earn their owner money.
 *
 * @returns one problem for each address that may not be used, none if the order may be placed
 * @example
 * contactProblems({ email: 'eve@example.com' }, { subject: 'ada', scopes: [] }, { verified: 'required', smsPrefixes: [] });
 * // [{ field: '/customer/email', detail: 'your token names no verified address' }]
 */
export function contactProblems(
  { email, phone }: { email: string; phone?: string | undefined },
  caller: Caller,
  { verified, smsPrefixes }: ContactPolicy,
): ProblemError[] {
  const problems: ProblemError[] = [];
  const refuse = (field: string, detail: string): void => {
    problems.push({ field, detail });
  };
  if (caller.email === undefined) {
    if (verified === 'required') refuse('/customer/email', 'your token names no verified address');
  } else if (caller.email.toLowerCase() !== email.toLowerCase()) {
    refuse('/customer/email', 'expected the address that your token names');
  }
  if (phone === undefined) return problems;
  if (caller.phone === undefined) {
    if (verified === 'required') refuse('/customer/phone', 'your token names no verified number: leave it out');
  } else if (caller.phone !== phone) {
    refuse('/customer/phone', 'expected the number that your token names, or none');
  }
  if (!smsPrefixes.some((prefix) => phone.startsWith(prefix))) {
    refuse('/customer/phone', 'the shop sends no SMS to this country: leave it out');
  }
  return problems;
}

/**
 * The stage's policy.
 * @throws Error when MILLRACE_VERIFIED_CONTACTS or MILLRACE_SMS_PREFIXES is not valid
 */
export function contactPolicyFrom(variables: NodeJS.ProcessEnv = process.env): ContactPolicy {
  const { MILLRACE_VERIFIED_CONTACTS: verified, MILLRACE_SMS_PREFIXES: prefixes = '' } = variables;
  if (verified !== 'required' && verified !== 'optional') {
    throw new Error(`MILLRACE_VERIFIED_CONTACTS must be required or optional, not ${verified}`);
  }
  const smsPrefixes = prefixes.split(' ').filter(Boolean);
  const invalid = smsPrefixes.find((prefix) => !/^\+\d{0,14}$/.test(prefix));
  if (invalid !== undefined) {
    throw new Error(`MILLRACE_SMS_PREFIXES must be the beginnings of numbers such as "+49 +43", not ${invalid}`);
  }
  return { verified, smsPrefixes };
}
