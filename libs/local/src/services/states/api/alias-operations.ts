import { AwsError } from '../../../core/aws-error.ts';
import type { Clock } from '../../../core/clock.ts';
import type { Operations } from '../../../core/service.ts';
import { checkName, parseMachineArn } from '../arns.ts';
import type { Alias, StateMachine } from '../machines/state-machine.ts';
import type { StateMachines } from '../machines/state-machines.ts';
import { given, seconds, textOf } from './input.ts';
import { pageOf } from './pages.ts';

type Routes = Alias['routes'];

/** Operations on aliases: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-alias.html */
export function aliasOperations(machines: StateMachines, clock: Clock): Operations {
  const aliasOf = (arn: unknown): { machine: StateMachine; alias: Alias } => {
    const { qualifier } = parseMachineArn(String(arn));
    const machine = machines.required(String(arn));
    const alias = machine.aliases.find(({ name }) => name === qualifier);
    if (!alias)
      throw new AwsError('ResourceNotFound', `Request references a resource that does not exist: '${String(arn)}'`);
    return { machine, alias };
  };
  const replace = (machine: StateMachine, name: string, alias: Alias | undefined): void => {
    machine.aliases = [...machine.aliases.filter((other) => other.name !== name), ...(alias ? [alias] : [])];
    machines.save(machine);
  };
  return {
    CreateStateMachineAlias: (input) => {
      const routes = checkRoutes(machines, input.routingConfiguration as Routes);
      const machine = machines.required(routes[0]?.stateMachineVersionArn ?? '');
      const name = checkName(String(input.name));
      if (/^\d+$/.test(name)) throw new AwsError('ValidationException', 'The name of an alias must not be a number');
      const description = textOf(input, 'description');
      const known = machine.aliases.find((alias) => alias.name === name);
      if (known && (JSON.stringify(known.routes) !== JSON.stringify(routes) || known.description !== description)) {
        throw new AwsError(
          'ConflictException',
          `Failed to create alias: '${name}' is there already with other settings`,
          409,
        );
      }
      const now = clock.now();
      const alias = known ?? { name, description, routes, createdAt: now, updatedAt: now };
      if (!known) replace(machine, name, alias);
      return { stateMachineAliasArn: `${machine.arn}:${name}`, creationDate: seconds(alias.createdAt) };
    },
    UpdateStateMachineAlias: (input) => {
      const { machine, alias } = aliasOf(input.stateMachineAliasArn);
      const routes =
        input.routingConfiguration === undefined
          ? alias.routes
          : checkRoutes(machines, input.routingConfiguration as Routes);
      const updatedAt = clock.now();
      replace(machine, alias.name, {
        ...alias,
        routes,
        description: textOf(input, 'description') ?? alias.description,
        updatedAt,
      });
      return { updateDate: seconds(updatedAt) };
    },
    DescribeStateMachineAlias: ({ stateMachineAliasArn }) => {
      const { alias } = aliasOf(stateMachineAliasArn);
      return given({
        ...{
          stateMachineAliasArn,
          name: alias.name,
          description: alias.description,
          routingConfiguration: alias.routes,
        },
        ...{ creationDate: seconds(alias.createdAt), updateDate: seconds(alias.updatedAt) },
      });
    },
    DeleteStateMachineAlias: ({ stateMachineAliasArn }) => {
      const { machine, alias } = aliasOf(stateMachineAliasArn);
      replace(machine, alias.name, undefined);
      return {};
    },
    ListStateMachineAliases: (input) => {
      const arn = String(input.stateMachineArn);
      const machine = machines.required(arn);
      const isOfVersion = ({ routes }: Alias): boolean =>
        arn === machine.arn || routes.some((route) => route.stateMachineVersionArn === arn);
      const { page, ...next } = pageOf(machine.aliases.filter(isOfVersion), input);
      const stateMachineAliases = page.map(({ name, createdAt }) => ({
        stateMachineAliasArn: `${machine.arn}:${name}`,
        creationDate: seconds(createdAt),
      }));
      return { stateMachineAliases, ...next };
    },
  };
}

/** @throws AwsError for versions that are not there or not of one machine, or weights that do not make 100 */
function checkRoutes(machines: StateMachines, routes: Routes): Routes {
  const arns = new Set(routes.map(({ stateMachineVersionArn }) => parseMachineArn(stateMachineVersionArn).arn));
  if (arns.size !== 1)
    throw new AwsError('ValidationException', 'All versions of an alias must be of one state machine');
  if (routes.reduce((sum, { weight }) => sum + weight, 0) !== 100) {
    throw new AwsError('ValidationException', 'Sum of routing configuration weights must equal 100');
  }
  for (const { stateMachineVersionArn } of routes) machines.runnable(stateMachineVersionArn);
  return routes;
}
