import { type Runtime, requestToken } from '@millrace/local';

/** Where the customer of the printed token can be reached: at some stages orders take verified addresses alone. */
const VERIFIED = { email: 'ada@example.com', phone: '+4915112345678' };

const EXAMPLE_ORDER = JSON.stringify({
  customer: { name: 'Ada Example', email: VERIFIED.email },
  shippingAddress: { line1: 'Mill Lane 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
  currency: 'EUR',
  lines: [{ sku: 'MUG-1', quantity: 1, unitPrice: 1290 }],
  paymentToken: 'tok_approved',
});

/** How long the printed tokens are valid, in seconds: a working day. */
const TOKENS_EXPIRE_IN = 8 * 3600;

const STAFF_SCOPE =
  'stock:read stock:write orders:read orders:read:all reports:read events:read approvals:write closures:write analytics:read';

/**
 * Returns the text to print when the runtime is ready: its addresses, two tokens and a first order.
 * @param seconds how long the start took
 * @throws Error if the issuer of tokens does not answer
 * @example console.log(await greetingOf(await startRuntime(options), 4.2));
 */
export async function greetingOf(
  { apiUrl, awsUrl, issuerUrl, functionNames }: Pick<Runtime, 'apiUrl' | 'awsUrl' | 'issuerUrl' | 'functionNames'>,
  seconds: number,
): Promise<string> {
  const [customer, staff] = await Promise.all([
    requestToken(issuerUrl, {
      subject: 'customer-1',
      ...VERIFIED,
      scope: 'orders:read orders:write checkouts:read checkouts:write slots:read slots:write',
      expiresIn: TOKENS_EXPIRE_IN,
    }),
    requestToken(issuerUrl, { subject: 'staff-1', scope: STAFF_SCOPE, expiresIn: TOKENS_EXPIRE_IN }),
  ]);
  return `
Millrace is ready: ${functionNames.length} functions after ${seconds.toFixed(1)} s

  shop      ${apiUrl}
  AWS APIs  ${awsUrl}     e-mails and SMS: ${awsUrl}/_local/messages

A customer's token and one of the staff, good for eight hours (others: npm run -s token -- --help):

  export CUSTOMER='${customer}' STAFF='${staff}'

Try an order:

  curl -X PUT ${apiUrl}/stock/MUG-1 -H "authorization: Bearer $STAFF" -H 'content-type: application/json' -d '{"available": 10}'
  curl ${apiUrl}/orders -H "authorization: Bearer $CUSTOMER" -H 'content-type: application/json' -d '${EXAMPLE_ORDER}'
  curl ${apiUrl}/orders/<orderId of the answer> -H "authorization: Bearer $CUSTOMER"

Ctrl-C stops.`;
}
