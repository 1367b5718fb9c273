import type { FunctionPlan } from './plan-service.ts';

/** SQS's queue URLs name an account; local runtimes use this one. */
const localAccount = '000000000000';

/**
 * The environment of a function under `sls invoke local`, which would otherwise ask CloudFormation for every `Ref`.
 * A resource with a literal name is known without asking; a queue's URL is, once an endpoint says where SQS is.
 *
 * @param plan what the plugin adds to the function
 * @param environment the function's own and the provider's variables
 * @param resources the service's CloudFormation resources by logical id
 * @param sqsEndpoint e.g. `http://127.0.0.1:4566`; without it the URLs are left to osls, which reads the deployed stack
 */
export function localEnvironment(
  plan: FunctionPlan,
  environment: Record<string, unknown>,
  resources: Record<string, unknown>,
  sqsEndpoint: string | undefined,
): Record<string, unknown> {
  const names = new Map(
    Object.entries(resources).flatMap(([id, resource]) => {
      const name = literalName(resource);
      return name === undefined ? [] : [[id, name] as const];
    }),
  );
  for (const [id, { Properties }] of Object.entries(plan.resources)) {
    if (sqsEndpoint !== undefined && typeof Properties.QueueName === 'string') {
      names.set(id, `${sqsEndpoint.replace(/\/$/, '')}/${localAccount}/${Properties.QueueName}`);
    }
  }
  return Object.fromEntries(
    Object.entries({ ...environment, ...plan.environment }).map(([variable, value]) => {
      const id = isObject(value) && typeof value.Ref === 'string' ? value.Ref : undefined;
      return [variable, (id !== undefined && names.get(id)) || value];
    }),
  );
}

/** `Ref` of a table or a bucket is its name. */
function literalName(resource: unknown): string | undefined {
  if (!isObject(resource) || !isObject(resource.Properties)) return undefined;
  const { TableName, BucketName } = resource.Properties;
  return [TableName, BucketName].find((name) => typeof name === 'string');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
