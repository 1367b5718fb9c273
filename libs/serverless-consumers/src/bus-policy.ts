import { eventBridgeLimits } from '@millrace/events/aws-limits';
import { ConfigurationError } from './configuration-error.ts';
import type { KnownEvent } from './event-names.ts';
import { checkRoleName, resourcePrefix } from './names.ts';
import type { CfnResource, Osls } from './osls.ts';
import { readStages } from './platform.ts';

const key = 'custom.consumers.protectedBus';

/** The one function that may put events it does not own: it puts dead ones back. */
const reEmitter = { service: 're-emitter', role: 'ReemitRole' };

/**
 * Writes the policy of the bus that `custom.consumers.protectedBus` names by its logical id into the resources of
 * serverless.yml: for each service with contracts, everybody is denied its source but the service's own roles and the
 * re-emitter's. Roles get their permissions where they are defined; this holds whatever they allow themselves.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-permissions-manage.html
 * @throws ConfigurationError CONSUMERS_BUS_NOT_FOUND, or CONSUMERS_BUS_POLICY when there is one already or it is too long
 */
export function protectBus(serverless: Osls, known: ReadonlyMap<string, KnownEvent>): void {
  const { service } = serverless;
  const { protectedBus } = (service.custom?.consumers ?? {}) as { protectedBus?: unknown };
  if (protectedBus === undefined) return;
  const resources = (service.resources as { Resources?: Record<string, CfnResource> } | undefined)?.Resources ?? {};
  const bus = resources[String(protectedBus)];
  const name = bus?.Properties?.Name;
  if (bus?.Type !== 'AWS::Events::EventBus' || typeof name !== 'string') {
    throw new ConfigurationError(
      'CONSUMERS_BUS_NOT_FOUND',
      key,
      `"${protectedBus}" must be the logical id of an AWS::Events::EventBus in resources, with a literal Name`,
    );
  }
  if (bus.Properties.Policy !== undefined) {
    throw new ConfigurationError(
      'CONSUMERS_BUS_POLICY',
      key,
      `${protectedBus} has a Policy already: remove one of the two`,
    );
  }
  const stage = serverless.getProvider('aws').getStage();
  const stages = readStages(service.custom?.consumers);
  for (const each of new Set([stage, ...stages])) {
    // Cut, the name of its role would not be recognised, and nothing could be put back.
    checkRoleName(resourcePrefix(reEmitter.service, each), reEmitter.role, each, key);
  }
  const policy = busPolicy(name, stage, known);
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

function busPolicy(busName: string, stage: string, known: ReadonlyMap<string, KnownEvent>): object {
  const sources = new Map([...known.values()].map(({ service, source }) => [service, source]));
  const role = (pattern: string) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/${pattern}`,
  });
  const Statement = [...sources].sort().map(([service, source]) => ({
    Sid: `Only${pascalCase(service)}`,
    Effect: 'Deny',
    Principal: '*',
    Action: 'events:PutEvents',
    // Not Fn::GetAtt: a bus that referred to itself could not be created.
    Resource: { 'Fn::Sub': `arn:\${AWS::Partition}:events:\${AWS::Region}:\${AWS::AccountId}:event-bus/${busName}` },
    Condition: {
      StringEquals: { 'events:source': source },
      // CloudFormation begins a role's name with the stack's, and ends it at random.
      ArnNotLike: {
        'aws:PrincipalArn': [
          role(`${resourcePrefix(service, stage)}-*`),
          role(`${resourcePrefix(reEmitter.service, stage)}-${reEmitter.role}-*`),
        ],
      },
    },
  }));
  return { Version: '2012-10-17', Statement };
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
