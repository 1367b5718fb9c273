import { arnOf, stableUuid } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';
import { SYMMETRIC } from './key-specs.ts';
import type { Keys } from './keys.ts';

/** What has the effect that it has at AWS, and what needs none where nothing is encrypted and no key is deleted. */
const keyProperties = [
  ...['Description', 'Enabled', 'KeyPolicy', 'KeySpec', 'KeyUsage', 'MultiRegion', 'Origin'],
  ...['BypassPolicyLockoutSafetyCheck', 'EnableKeyRotation', 'PendingWindowInDays', 'RotationPeriodInDays', 'Tags'],
];

export const kmsResourceTypes: Readonly<Record<string, ResourceType<Keys>>> = {
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html */
  'AWS::KMS::Key': {
    ref: stableUuid,
    attributes: { KeyId: stableUuid, Arn: arnOf('kms', (r) => `key/${stableUuid(r)}`) },
    properties: keyProperties,
    create: async ({ stack, logicalId, properties }, keys) => keys.add(stack.ref(logicalId), properties),
    warnings: ({ properties: { KeySpec = SYMMETRIC } }) =>
      KeySpec === SYMMETRIC || String(KeySpec).startsWith('HMAC_')
        ? []
        : [`is not used for anything: ${String(KeySpec)} is not available here`],
  },
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-alias.html */
  'AWS::KMS::Alias': {
    nameProperty: 'AliasName',
    attributes: {},
    properties: ['AliasName', 'TargetKeyId'],
    create: async ({ name, properties }, keys) => keys.addAlias(name, String(properties.TargetKeyId)),
  },
};
