import { AwsError } from '../../../core/aws-error.ts';
import type { Operations } from '../../../core/service.ts';
import { parseMachineArn } from '../arns.ts';
import type { StateMachine } from '../machines/state-machine.ts';
import type { StateMachines } from '../machines/state-machines.ts';
import { seconds, textOf } from './input.ts';
import { pageOf } from './pages.ts';

/** Operations on versions: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-version.html */
export function versionOperations(machines: StateMachines): Operations {
  return {
    PublishStateMachineVersion: (input) => {
      const machine = machines.required(String(input.stateMachineArn));
      if (input.revisionId !== undefined && input.revisionId !== machine.current.id) {
        throw new AwsError(
          'ConflictException',
          'Failed to publish the State Machine version: the revision is not the current one',
          409,
        );
      }
      const arn = publishVersion(machines, machine, textOf(input, 'description'));
      return { stateMachineVersionArn: arn, creationDate: seconds(machine.versions.at(-1)?.createdAt ?? 0) };
    },
    DeleteStateMachineVersion: ({ stateMachineVersionArn }) => {
      const arn = String(stateMachineVersionArn);
      const { qualifier } = parseMachineArn(arn);
      const machine = machines.find(arn);
      if (machine?.aliases.some(({ routes }) => routes.some((route) => route.stateMachineVersionArn === arn))) {
        throw new AwsError(
          'ConflictException',
          `Version to be deleted must not be referenced by an alias: '${arn}'`,
          409,
        );
      }
      if (!machine) return {};
      machine.versions = machine.versions.filter(({ number }) => String(number) !== qualifier);
      machines.save(machine);
      return {};
    },
    ListStateMachineVersions: (input) => {
      const machine = machines.required(String(input.stateMachineArn));
      const { page, ...next } = pageOf(machine.versions.toReversed(), input);
      const stateMachineVersions = page.map(({ number, createdAt }) => ({
        stateMachineVersionArn: `${machine.arn}:${number}`,
        creationDate: seconds(createdAt),
      }));
      return { stateMachineVersions, ...next };
    },
  };
}

/** Publishes the current revision; the same one twice is the same version. @returns its ARN */
export function publishVersion(
  machines: StateMachines,
  machine: StateMachine,
  description: string | undefined,
): string {
  const last = machine.versions.at(-1);
  if (last?.id === machine.current.id) return `${machine.arn}:${last.number}`;
  machine.lastVersion += 1;
  machine.versions.push({
    ...machine.current,
    number: machine.lastVersion,
    description,
    createdAt: machine.current.updatedAt,
  });
  machines.save(machine);
  return `${machine.arn}:${machine.lastVersion}`;
}
