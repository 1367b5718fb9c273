import { arnOf, stableUuid } from '@millrace/cloudformation';
import { definitionInTemplate, type MachineType } from '@millrace/states-language';
import type { Input } from '../../core/access.ts';
import type { DeclaredResource, ResourceType } from '../../core/service.ts';
import type { Activities } from './activities/activities.ts';
import { publishVersion } from './api/version-operations.ts';
import { checkName } from './arns.ts';
import type { StateMachines } from './machines/state-machines.ts';

/** What templates make of state machines. */
export interface DeclaringStates {
  readonly machines: StateMachines;
  readonly activities: Pick<Activities, 'create'>;
  /** Notes a machine that a template declares. */
  declared(arn: string): void;
}

const STATE_MACHINE = 'AWS::StepFunctions::StateMachine';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_StepFunctions.html */
export const statesResourceTypes: Readonly<Record<string, ResourceType<DeclaringStates>>> = {
  [STATE_MACHINE]: {
    nameProperty: 'StateMachineName',
    ref: arnOf('states', ({ name }) => `stateMachine:${name}`),
    attributes: {
      Arn: arnOf('states', ({ name }) => `stateMachine:${name}`),
      Name: ({ name }) => name,
      StateMachineRevisionId: stableUuid,
    },
    properties: [
      ...[
        'StateMachineName',
        'StateMachineType',
        'RoleArn',
        'DefinitionString',
        'Definition',
        'DefinitionSubstitutions',
      ],
      // Nothing is encrypted and nothing is traced on this machine; the history is in GetExecutionHistory.
      ...['LoggingConfiguration', 'TracingConfiguration', 'EncryptionConfiguration', 'Tags'],
    ],
    create: async (resource, { machines, declared }) => {
      const machine = machines.declare({ ...inputOf(resource), isDeclared: true });
      declared(machine.arn);
      return undefined;
    },
  },
  'AWS::StepFunctions::Activity': {
    nameProperty: 'Name',
    ref: arnOf('states', ({ name }) => `activity:${name}`),
    attributes: { Arn: arnOf('states', ({ name }) => `activity:${name}`), Name: ({ name }) => name },
    properties: ['Name', 'Tags', 'EncryptionConfiguration'],
    create: async ({ name, properties }, { activities }) => {
      activities.create(checkName(name), tagsOf(properties));
      return undefined;
    },
  },
  'AWS::StepFunctions::StateMachineVersion': {
    ref: (r) => `${String(r.property('StateMachineArn'))}:1`,
    attributes: { Arn: (r) => `${String(r.property('StateMachineArn'))}:1` },
    attributesAfterCreation: { Arn: (r) => `${String(r.property('StateMachineArn'))}:1` },
    properties: ['StateMachineArn', 'StateMachineRevisionId', 'Description'],
    create: async ({ properties }, { machines }) => {
      const machine = machines.required(String(properties.StateMachineArn));
      const description = properties.Description === undefined ? undefined : String(properties.Description);
      return { Arn: publishVersion(machines, machine, description) };
    },
  },
};

function inputOf({ name, properties }: DeclaredResource) {
  return {
    name: checkName(name),
    type: typeOf(properties),
    definition: definitionInTemplate(properties),
    roleArn: String(properties.RoleArn ?? ''),
    tags: tagsOf(properties),
    loggingConfiguration: undefined,
    tracingConfiguration: undefined,
  };
}

/** @throws Error for an unknown type */
function typeOf({ StateMachineType = 'STANDARD' }: Input): MachineType {
  if (StateMachineType === 'STANDARD' || StateMachineType === 'EXPRESS') return StateMachineType;
  throw new Error(`StateMachineType must be STANDARD or EXPRESS, not ${String(StateMachineType)}`);
}

function tagsOf({ Tags = [] }: Input): Record<string, string> {
  return Object.fromEntries((Tags as { Key: string; Value: string }[]).map(({ Key, Value }) => [Key, String(Value)]));
}
