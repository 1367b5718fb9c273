import { describe, expect, test } from '@jest/globals';
import { contactPolicyFrom, contactProblems } from './contact-policy.ts';

const nobody = { subject: 'ada', scopes: [] };
const ada = { ...nobody, email: 'Ada@example.com', phone: '+4915112345678' };
const own = { email: 'ada@example.com', phone: '+4915112345678' };
const required = { verified: 'required', smsPrefixes: ['+49', '+43'] } as const;
const optional = { verified: 'optional', smsPrefixes: ['+'] } as const;

const fieldsOf = (...given: Parameters<typeof contactProblems>) => contactProblems(...given).map(({ field }) => field);

describe('an order may name', () => {
  test('the addresses that the token names', () => {
    expect(fieldsOf(own, ada, required)).toEqual([]);
    expect(fieldsOf({ email: own.email }, ada, required)).toEqual([]);
  });

  test('any address at a stage that asks for none, as long as the token names none', () => {
    expect(fieldsOf(own, nobody, optional)).toEqual([]);
    expect(fieldsOf({ email: 'eve@example.com', phone: '+15551234567' }, ada, optional)).toEqual([
      '/customer/email',
      '/customer/phone',
    ]);
  });
});

describe('an order may not name', () => {
  test.each([
    ['an address without a verified one', own, nobody, ['/customer/email', '/customer/phone']],
    ['the address of somebody else', { ...own, email: 'eve@example.com' }, ada, ['/customer/email']],
    ['the number of somebody else', { ...own, phone: '+4915187654321' }, ada, ['/customer/phone']],
    [
      'a number of a country without SMS',
      { ...own, phone: '+18761234567' },
      { ...ada, phone: '+18761234567' },
      ['/customer/phone'],
    ],
  ])('%s', (_, contact, caller, fields) => {
    expect(fieldsOf(contact, caller, required)).toEqual(fields);
  });
});

describe('the policy of a stage', () => {
  test('is read from the environment', () => {
    const variables = { MILLRACE_VERIFIED_CONTACTS: 'required', MILLRACE_SMS_PREFIXES: '+49 +43' };

    expect(contactPolicyFrom(variables)).toEqual(required);
    expect(contactPolicyFrom({ ...variables, MILLRACE_SMS_PREFIXES: '' }).smsPrefixes).toEqual([]);
  });

  test.each([
    [{}, 'MILLRACE_VERIFIED_CONTACTS'],
    [{ MILLRACE_VERIFIED_CONTACTS: 'yes' }, 'MILLRACE_VERIFIED_CONTACTS'],
    [{ MILLRACE_VERIFIED_CONTACTS: 'optional', MILLRACE_SMS_PREFIXES: '49' }, 'MILLRACE_SMS_PREFIXES'],
  ])('that is not valid stops the start: %j', (variables, named) => {
    expect(() => contactPolicyFrom(variables)).toThrow(named);
  });
});
