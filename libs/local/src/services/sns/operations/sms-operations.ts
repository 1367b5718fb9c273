import type { SnsContext, SnsOperation } from '../context.ts';
import { invalidParameter } from '../errors.ts';

type SmsOperation =
  | 'CheckIfPhoneNumberIsOptedOut'
  | 'ListPhoneNumbersOptedOut'
  | 'GetSMSAttributes'
  | 'SetSMSAttributes'
  | 'GetSMSSandboxAccountStatus';

/** https://docs.aws.amazon.com/sns/latest/api/API_SetSMSAttributes.html */
const attributeNames = new Set([
  ...['MonthlySpendLimit', 'DeliveryStatusIAMRole', 'DeliveryStatusSuccessSamplingRate', 'DefaultSenderID'],
  ...['DefaultSMSType', 'UsageReportS3Bucket'],
]);

/** Settings of text messages. Text messages are not sent here, so no number has opted out. */
export function smsOperations({ store }: SnsContext): Record<SmsOperation, SnsOperation> {
  return {
    CheckIfPhoneNumberIsOptedOut: ({ phoneNumber = '' }: { phoneNumber?: string }) => {
      if (!/^\+[1-9]\d{1,14}$/.test(phoneNumber)) throw invalidParameter('PhoneNumber');
      return { isOptedOut: false };
    },
    ListPhoneNumbersOptedOut: () => ({ phoneNumbers: [] }),
    GetSMSAttributes: ({ attributes: wanted = [] }: { attributes?: string[] }) => {
      const all = Object.entries(store.setting<Record<string, string>>('smsAttributes') ?? {});
      return { attributes: Object.fromEntries(all.filter(([name]) => wanted.length === 0 || wanted.includes(name))) };
    },
    SetSMSAttributes: ({ attributes = {} }: { attributes?: Record<string, string> }) => {
      const unknown = Object.keys(attributes).find((name) => !attributeNames.has(name));
      if (unknown !== undefined) throw invalidParameter(`${unknown.slice(0, 100)} is not a valid attribute`);
      if (
        attributes.DefaultSMSType !== undefined &&
        !['Promotional', 'Transactional'].includes(attributes.DefaultSMSType)
      ) {
        throw invalidParameter('DefaultSMSType', 'it must be Promotional or Transactional');
      }
      store.setSetting('smsAttributes', { ...store.setting<Record<string, string>>('smsAttributes'), ...attributes });
      return {};
    },
    GetSMSSandboxAccountStatus: () => ({ IsInSandbox: false }),
  };
}
