import { AwsError } from '../../core/aws-error.ts';
import type { Messages } from '../../core/messages.ts';

interface SendEmailRequest {
  FromEmailAddress?: string;
  Destination?: { ToAddresses?: string[]; CcAddresses?: string[]; BccAddresses?: string[] };
  Content?: {
    Simple?: { Subject?: { Data?: string }; Body?: { Text?: { Data?: string }; Html?: { Data?: string } } };
    Template?: { TemplateName?: string; TemplateArn?: string; TemplateData?: string };
    Raw?: { Data?: string };
  };
}

/**
 * SendEmail of SES v2: the e-mail is captured.
 *
 * @throws AwsError BadRequestException where SES would refuse the request
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
 */
export function sendEmail(messages: Messages, request: SendEmailRequest): { MessageId: string } {
  const { ToAddresses = [], CcAddresses = [], BccAddresses = [] } = request.Destination ?? {};
  const lists = [ToAddresses, CcAddresses, BccAddresses].map((addresses) => addresses ?? []);
  if (!lists.every(Array.isArray)) throw new AwsError('BadRequestException', 'Addresses must be lists');
  const to = lists.flat();
  const { Simple, Template, Raw } = request.Content ?? {};
  if (!Simple && !Template && !Raw)
    throw new AwsError('BadRequestException', 'Content must be Simple, Raw or Template');
  if (Raw && typeof (Raw.Data ?? '') !== 'string') throw new AwsError('BadRequestException', 'Raw.Data must be a text');
  if (to.length === 0 && !Raw) throw new AwsError('BadRequestException', 'Destination has no addresses');
  const invalid = to.find((address) => !/^[^\s@]+@[^\s@]+$|<[^\s@]+@[^\s@]+>$/.test(address));
  if (invalid !== undefined) throw new AwsError('BadRequestException', `Invalid address: ${invalid}`);
  if (Simple && (Simple.Subject?.Data === undefined || !Simple.Body)) {
    throw new AwsError('BadRequestException', 'A simple message needs a Subject and a Body');
  }
  const text = Simple?.Body?.Text?.Data ?? (Raw && Buffer.from(Raw.Data ?? '', 'base64').toString());
  const html = Simple?.Body?.Html?.Data;
  return {
    MessageId: messages.capture({
      kind: 'email',
      to,
      ...(request.FromEmailAddress === undefined ? {} : { from: request.FromEmailAddress }),
      ...(Simple?.Subject?.Data === undefined ? {} : { subject: Simple.Subject.Data }),
      ...(text === undefined ? {} : { text }),
      ...(html === undefined ? {} : { html }),
      ...(Template
        ? {
            template: {
              name: Template.TemplateName ?? Template.TemplateArn ?? '',
              data: Template.TemplateData ?? '{}',
            },
          }
        : {}),
    }),
  };
}
