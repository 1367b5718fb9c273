import { DefinitionError } from '../failure.ts';

/** How a task waits for what it calls: https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html */
export type IntegrationPattern = 'request' | 'sync' | 'sync:2' | 'waitForTaskToken';

/** What a task calls. */
export type TaskResource =
  | { readonly kind: 'function'; readonly arn: string }
  | {
      readonly kind: 'integration';
      readonly arn: string;
      /** As in a request's signature: `states`, `events`. */
      readonly service: string;
      /** As in the ARN: `sfn`, `lambda`. It is the history's `resourceType`. */
      readonly resourceType: string;
      /** As in the ARN, with the pattern: `sendMessage.waitForTaskToken`. It is the history's `resource`. */
      readonly resource: string;
      /** As in the service's API: `SendMessage`. */
      readonly operation: string;
      readonly pattern: IntegrationPattern;
      /** Called as by an SDK, with the answers that the API gives. */
      readonly isSdk: boolean;
    }
  | { readonly kind: 'activity'; readonly arn: string };

/** Names of services in ARNs of SDK integrations that are others in a signature. */
const signingNames: Readonly<Record<string, string>> = {
  sfn: 'states',
  eventbridge: 'events',
  cloudwatchlogs: 'logs',
  sesv2: 'ses',
  cloudwatch: 'monitoring',
};

/**
 * Reads the `Resource` of a task.
 * @throws DefinitionError for what is not a resource of a task
 * @example
 * parseResource('arn:aws:states:::sqs:sendMessage.waitForTaskToken', '/States/Ask/Resource');
 */
export function parseResource(arn: string, location: string): TaskResource {
  if (/^arn:aws[\w-]*:lambda:[^:]*:[^:]*:function:[^:]+(:[^:]+)?$/.test(arn)) return { kind: 'function', arn };
  if (/^arn:aws[\w-]*:states:[^:]+:[^:]+:activity:[^:]+$/.test(arn)) return { kind: 'activity', arn };
  const match =
    /^arn:aws[\w-]*:states:[^:]*:[^:]*:(aws-sdk:)?([\w-]+):(\w+)(?:\.(sync|sync:2|waitForTaskToken))?$/.exec(arn);
  const [, sdk, resourceType, action, pattern = 'request'] = match ?? [];
  if (resourceType === undefined || action === undefined) {
    throw new DefinitionError(`Value is not a valid resource ARN: ${arn}`, location);
  }
  return {
    kind: 'integration',
    arn,
    service: signingNames[resourceType] ?? resourceType,
    resourceType: sdk === undefined ? resourceType : `aws-sdk:${resourceType}`,
    resource: pattern === 'request' ? action : `${action}.${pattern}`,
    operation: action.charAt(0).toUpperCase() + action.slice(1),
    pattern: pattern as IntegrationPattern,
    isSdk: sdk !== undefined,
  };
}
