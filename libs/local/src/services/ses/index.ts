import { type AwsService, apiOf } from '../../core/service.ts';
import { sesAccess } from './access.ts';
import { sendEmail } from './api.ts';
import { sesDifferences } from './differences.ts';
import { recipientsOf } from './usage.ts';

/** SES v2: mails are captured. */
export const ses: AwsService<undefined> = {
  name: 'ses',
  differences: sesDifferences,
  protocols: ['rest'],
  routes: [{ operation: 'SendEmail', method: 'POST', path: '/v2/email/outbound-emails' }],
  resourceTypes: {},
  access: sesAccess,
  refusal: { code: 'AccessDeniedException', status: 403 },
  meters: { 'ses.recipients': 'recipients of mails [function]' },
  async start({ messages }) {
    return {
      handle: undefined,
      api: apiOf('SES', { SendEmail: (input) => sendEmail(messages, input) }),
      meter: (usage, { functionName, input }) => usage.add('ses.recipients', functionName, recipientsOf(input)),
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
