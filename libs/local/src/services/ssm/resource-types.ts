import type { Stack } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';

/** By name. */
export type Parameters = ReadonlyMap<string, { value: string; type: string }>;

const PARAMETER = 'AWS::SSM::Parameter';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html */
export const ssmResourceTypes: Readonly<Record<string, ResourceType>> = {
  [PARAMETER]: {
    nameProperty: 'Name',
    attributes: { Type: (r) => String(r.property('Type')), Value: (r) => String(r.property('Value')) },
    properties: ['Name', 'Type', 'Value', 'Description', 'Tier', 'DataType', 'Tags', 'AllowedPattern'],
  },
};

/** The parameters that stacks declare. */
export function parametersOf(stacks: readonly Stack[]): Parameters {
  return new Map(
    stacks.flatMap((stack) =>
      stack.resourcesOfType(PARAMETER).map(({ name, logicalId }) => {
        const { Value, Type } = stack.properties(logicalId);
        return [name, { value: String(Value), type: String(Type ?? 'String') }] as const;
      }),
    ),
  );
}
