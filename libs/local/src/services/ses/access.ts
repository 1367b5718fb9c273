import type { Access } from '@millrace/iam-policy';
import type { ArnOf, Input } from '../../core/access.ts';

/**
 * A mail needs permission on the identity it comes from, here always the address itself, where SES takes the domain if only
 * that is verified, and on the configuration set and the template it names.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsesv2.html
 */
export function sesAccess(operation: string, input: Input, arn: ArnOf): readonly Access[] | undefined {
  if (operation !== 'SendEmail') return undefined;
  const { FromEmailAddress, FromEmailAddressIdentityArn, ConfigurationSetName, Content, Destination } = input;
  const from = String(FromEmailAddress ?? '');
  const [, displayName, bracketed] = /^(.*)<([^<>]+)>\s*$/.exec(from) ?? [];
  const address = (bracketed ?? from).trim();
  const recipients = Object.values((Destination ?? {}) as Record<string, unknown[]>).flat();
  const context = new Map<string, string[]>([
    ['ses:fromaddress', [address]],
    ['ses:recipients', recipients.map(String)],
  ]);
  if (displayName?.trim()) context.set('ses:fromdisplayname', [displayName.trim()]);
  const { Template } = (Content ?? {}) as { Template?: { TemplateName?: string; TemplateArn?: string } };
  const resources = [
    FromEmailAddressIdentityArn === undefined ? arn('ses', `identity/${address}`) : String(FromEmailAddressIdentityArn),
    ...(ConfigurationSetName === undefined ? [] : [arn('ses', `configuration-set/${String(ConfigurationSetName)}`)]),
    ...(Template ? [Template.TemplateArn ?? arn('ses', `template/${Template.TemplateName ?? ''}`)] : []),
  ];
  return resources.map((resource) => ({ action: 'ses:SendEmail', resource, context }));
}
