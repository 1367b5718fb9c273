import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { ConfigurationError } from './configuration-error.ts';
import type { KnownEvent } from './event-names.ts';
import { checkRoleName, resourcePrefix } from './names.ts';
import type { CfnResource, CfnValue, Osls } from './osls.ts';
import { readStages } from './platform.ts';

/** The one function that may put events it does not own: it puts dead ones back. */
const reEmitter = { service: 're-emitter', role: 'ReemitRole' };

/** The functions that put variants on the analytics bus. */
const relayRole = 'RelayRole';

/** The setting of `custom.consumers` that names a bus, and who may put the events of a service there: names of roles. */
const buses = {
  protectedBus: (service: string, stage: string) => [
    `${resourcePrefix(service, stage)}-*`,
    `${resourcePrefix(reEmitter.service, stage)}-${reEmitter.role}-*`,
  ],
  protectedAnalyticsBus: (service: string, stage: string) => [`${resourcePrefix(service, stage)}-${relayRole}-*`],
};

/**
 * Writes the policies of the buses that `custom.consumers` names by their logical ids into the resources of serverless.yml. For each
 * service with contracts, everybody is denied its source: on the `protectedBus` but for the service's own roles and the re-emitter's,
 * on the `protectedAnalyticsBus`, which gets the sources that have variants, but for the service's relay. All other sources are denied
 * there to everybody. Roles get their permissions where they are defined; this holds whatever they allow themselves.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-permissions-manage.html
 * @throws ConfigurationError CONSUMERS_BUS_NOT_FOUND, or CONSUMERS_BUS_POLICY when there is one already or it is too long
 */
export function protectBuses(serverless: Osls, known: ReadonlyMap<string, KnownEvent>): void {
  const { protectedBus, protectedAnalyticsBus } = (serverless.service.custom?.consumers ?? {}) as Record<
    keyof typeof buses,
    unknown
  >;
  const stage = serverless.getProvider('aws').getStage();
  const events = [...known.values()];
  if (protectedBus !== undefined) {
    for (const each of new Set([stage, ...readStages(serverless.service.custom?.consumers)])) {
      // Cut, the name of its role would not be recognised, and nothing could be put back.
      const prefix = resourcePrefix(reEmitter.service, each);
      checkRoleName(prefix, reEmitter.role, each, 'custom.consumers.protectedBus');
    }
    protect(serverless, 'protectedBus', (busArn) => denials(events, busArn, stage, buses.protectedBus));
  }
  if (protectedAnalyticsBus === undefined) return;
  const variants = events.flatMap(({ analytics }) => analytics ?? []);
  protect(serverless, 'protectedAnalyticsBus', (busArn) => [
    ...denials(variants, busArn, stage, buses.protectedAnalyticsBus),
    {
      Sid: 'OnlyVariants',
      ...denial(busArn),
      ...(variants.length > 0 && {
        Condition: { StringNotEquals: { 'events:source': sourcesOf(variants).map(([, source]) => source) } },
      }),
    },
  ]);
}

function protect(serverless: Osls, setting: keyof typeof buses, statements: (busArn: CfnValue) => object[]): void {
  const { service } = serverless;
  const key = `custom.consumers.${setting}`;
  const id = String(((service.custom?.consumers ?? {}) as Record<string, unknown>)[setting]);
  const resources = (service.resources as { Resources?: Record<string, CfnResource> } | undefined)?.Resources ?? {};
  const bus = resources[id];
  const name = bus?.Properties?.Name;
  if (bus?.Type !== 'AWS::Events::EventBus' || typeof name !== 'string') {
    throw new ConfigurationError(
      'CONSUMERS_BUS_NOT_FOUND',
      key,
      `"${id}" must be the logical id of an AWS::Events::EventBus in resources, with a literal Name`,
    );
  }
  if (bus.Properties.Policy !== undefined) {
    throw new ConfigurationError('CONSUMERS_BUS_POLICY', key, `${id} has a Policy already: remove one of the two`);
  }
  // Not Fn::GetAtt: a bus that referred to itself could not be created.
  const busArn = { 'Fn::Sub': `arn:\${AWS::Partition}:events:\${AWS::Region}:\${AWS::AccountId}:event-bus/${name}` };
  const policy = { Version: '2012-10-17', Statement: statements(busArn) };
  const length = deployedLength(policy);
  if (length > eventBridgeLimits.policyLength) {
    throw new ConfigurationError(
      'CONSUMERS_BUS_POLICY',
      key,
      `the policy would have ${length} characters, and EventBridge takes ${eventBridgeLimits.policyLength}: too many services share the bus`,
    );
  }
  bus.Properties.Policy = policy;
}

/** For each source of some events: everybody but these roles is denied it. */
function denials(
  events: readonly KnownEvent[],
  busArn: CfnValue,
  stage: string,
  rolesOf: (service: string, stage: string) => string[],
): object[] {
  return sourcesOf(events).map(([service, source]) => ({
    Sid: `Only${pascalCase(service)}`,
    ...denial(busArn),
    Condition: {
      StringEquals: { 'events:source': source },
      // CloudFormation begins a role's name with the stack's, and ends it at random.
      ArnNotLike: {
        'aws:PrincipalArn': rolesOf(service, stage).map((pattern) => ({
          'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/${pattern}`,
        })),
      },
    },
  }));
}

function denial(Resource: CfnValue): object {
  return { Effect: 'Deny', Principal: '*', Action: 'events:PutEvents', Resource };
}

/** Services and their sources, in order. */
function sourcesOf(events: readonly KnownEvent[]): [service: string, source: string][] {
  return [...new Map(events.map(({ service, source }) => [service, source]))].sort();
}

/** The characters of the policy once CloudFormation has put the longest names there are in place of its variables. */
function deployedLength(policy: object): number {
  const resolved = JSON.stringify(policy, (_key, value) => value?.['Fn::Sub'] ?? value)
    .replaceAll(`\${AWS::Partition}`, 'aws-us-gov')
    .replaceAll(`\${AWS::Region}`, 'ap-southeast-1')
    .replaceAll(`\${AWS::AccountId}`, '000000000000');
  return resolved.length;
}

/** `status-checker` → `StatusChecker` */
function pascalCase(service: string): string {
  return service.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}
