import { arnOf } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html */
export const logsResourceTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::Logs::LogGroup': {
    nameProperty: 'LogGroupName',
    attributes: { Arn: arnOf('logs', (r) => `log-group:${r.name}:*`) },
    // Nothing is encrypted on this machine.
    properties: ['LogGroupName', 'RetentionInDays', 'Tags', 'KmsKeyId', 'LogGroupClass', 'DeletionProtectionEnabled'],
  },
  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-logstream.html */
  'AWS::Logs::LogStream': {
    nameProperty: 'LogStreamName',
    attributes: {},
    properties: ['LogGroupName', 'LogStreamName'],
  },
};
