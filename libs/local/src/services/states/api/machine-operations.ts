import { type CompileOptions, compileDefinition, type MachineType } from '@millrace/states-language';
import type { Input } from '../../../core/access.ts';
import { AwsError } from '../../../core/aws-error.ts';
import type { Operations } from '../../../core/service.ts';
import type { Activities } from '../activities/activities.ts';
import type { Activity } from '../activities/activity.ts';
import { checkName } from '../arns.ts';
import type { Executions } from '../execution/executions.ts';
import type { StateMachine } from '../machines/state-machine.ts';
import type { StateMachines } from '../machines/state-machines.ts';
import { given, seconds, tagsOf, textOf } from './input.ts';
import { pageOf } from './pages.ts';
import { publishVersion } from './version-operations.ts';

/** Operations on state machines. */
export function machineOperations(
  machines: StateMachines,
  executions: Executions,
  check: NonNullable<CompileOptions['check']>,
): Operations {
  return {
    CreateStateMachine: (input) => {
      const machine = machines.create({
        name: checkName(String(input.name)),
        type: typeOf(input),
        definition: String(input.definition),
        roleArn: String(input.roleArn),
        tags: tagsOf(input.tags),
        loggingConfiguration: input.loggingConfiguration as object | undefined,
        tracingConfiguration: input.tracingConfiguration as object | undefined,
        isDeclared: false,
      });
      const version =
        input.publish === true ? publishVersion(machines, machine, textOf(input, 'versionDescription')) : undefined;
      return {
        stateMachineArn: machine.arn,
        creationDate: seconds(machine.createdAt),
        ...(version && { stateMachineVersionArn: version }),
      };
    },
    UpdateStateMachine: (input) => {
      const machine = machines.required(String(input.stateMachineArn));
      const { loggingConfiguration, tracingConfiguration } = input;
      if (loggingConfiguration !== undefined) machine.loggingConfiguration = loggingConfiguration as object;
      if (tracingConfiguration !== undefined) machine.tracingConfiguration = tracingConfiguration as object;
      const hasChange = ['definition', 'roleArn', 'loggingConfiguration', 'tracingConfiguration'].some(
        (name) => input[name] !== undefined,
      );
      if (!hasChange)
        throw new AwsError(
          'MissingRequiredParameter',
          'Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified',
        );
      machines.update(machine, { definition: textOf(input, 'definition'), roleArn: textOf(input, 'roleArn') });
      const version =
        input.publish === true ? publishVersion(machines, machine, textOf(input, 'versionDescription')) : undefined;
      return {
        updateDate: seconds(machine.current.updatedAt),
        revisionId: machine.current.id,
        ...(version && { stateMachineVersionArn: version }),
      };
    },
    DeleteStateMachine: ({ stateMachineArn }) => {
      const machine = machines.find(String(stateMachineArn));
      if (machine) machines.delete(machine);
      return {};
    },
    DescribeStateMachine: ({ stateMachineArn }) => {
      const { machine, revision, versionArn } = machines.runnable(String(stateMachineArn));
      return describeMachine(machine, revision, versionArn ?? machine.arn);
    },
    DescribeStateMachineForExecution: ({ executionArn }) => {
      const { state, definition } = executions.required(String(executionArn));
      const machine = machines.find(state.machineArn);
      return given({
        ...{ stateMachineArn: state.machineArn, name: state.machineName, definition, roleArn: state.roleArn },
        updateDate: seconds(machine?.current.updatedAt ?? state.startedAt),
        ...configurationsOf(machine),
      });
    },
    ListStateMachines: (input) => {
      const { page, ...next } = pageOf(machines.list(), input);
      const stateMachines = page.map(({ arn, name, type, createdAt }) => ({
        stateMachineArn: arn,
        name,
        type,
        creationDate: seconds(createdAt),
      }));
      return { stateMachines, ...next };
    },
    ValidateStateMachineDefinition: (input) => {
      const { diagnostics } = compileDefinition(String(input.definition), { type: typeOf(input), check });
      const most = Number(input.maxResults) || 100;
      return {
        result: diagnostics.length === 0 ? 'OK' : 'FAIL',
        diagnostics: diagnostics.slice(0, most),
        truncated: diagnostics.length > most,
      };
    },
  };
}

/** Operations on the tags of state machines and activities. */
export function tagOperations(machines: StateMachines, activities: Activities): Operations {
  const save = (resource: StateMachine | Activity): void =>
    'current' in resource ? machines.save(resource) : activities.save(resource);
  const tagged = (resourceArn: unknown): StateMachine | Activity => {
    const arn = String(resourceArn);
    const found = arn.includes(':activity:') ? activities.find(arn) : machines.find(arn);
    if (found) return found;
    throw new AwsError('ResourceNotFound', `Resource not found: '${arn}'`);
  };
  return {
    TagResource: ({ resourceArn, tags }) => {
      const resource = tagged(resourceArn);
      Object.assign(resource.tags, tagsOf(tags));
      if (Object.keys(resource.tags).length > 50)
        throw new AwsError('TooManyTags', 'A resource must not have more than 50 tags');
      save(resource);
      return {};
    },
    UntagResource: ({ resourceArn, tagKeys }) => {
      const resource = tagged(resourceArn);
      for (const key of tagKeys as string[]) delete resource.tags[key];
      save(resource);
      return {};
    },
    ListTagsForResource: ({ resourceArn }) => ({
      tags: Object.entries(tagged(resourceArn).tags).map(([key, value]) => ({ key, value })),
    }),
  };
}

function typeOf({ type = 'STANDARD' }: Input): MachineType {
  return type === 'EXPRESS' ? 'EXPRESS' : 'STANDARD';
}

function describeMachine(machine: StateMachine, revision: StateMachine['current'], arn: string): object {
  return given({
    ...{ stateMachineArn: arn, name: machine.name, type: machine.type, status: 'ACTIVE' },
    ...{
      definition: revision.definition,
      roleArn: revision.roleArn,
      creationDate: seconds(machine.createdAt),
      revisionId: revision.id,
    },
    ...configurationsOf(machine),
    description: 'description' in revision ? revision.description : undefined,
  });
}

function configurationsOf(machine: StateMachine | undefined): object {
  return {
    loggingConfiguration: machine?.loggingConfiguration ?? { level: 'OFF', includeExecutionData: false },
    tracingConfiguration: machine?.tracingConfiguration ?? { enabled: false },
    encryptionConfiguration: { type: 'AWS_OWNED_KEY' },
  };
}
