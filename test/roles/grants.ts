import type { Runtime } from '@millrace/local';

/** One statement of one function's role. */
export interface Grant {
  functionName: string;
  /** In `runtime.identities.statementsOf`. */
  index: number;
  effect: string;
  actions: string[];
  resources: string[];
}

/** Every statement of every function's role. */
export function grantsOf({ functionNames, identities }: Runtime): Grant[] {
  return functionNames.flatMap((functionName) =>
    identities.statementsOf(functionName).map(({ Effect, Action, Resource }, index) => ({
      functionName,
      index,
      effect: String(Effect),
      actions: texts(Action),
      resources: texts(Resource),
    })),
  );
}

/**
 * A grant in one line: `Allow sqs:SendMessage on millrace-orders-dev-relay-dlq`.
 * @param action the only one of its actions that is meant
 */
export function describeGrant({ effect, actions, resources }: Grant, action?: string): string {
  const [first = '', ...others] = action === undefined ? actions : [action];
  const [resource = '', ...moreResources] = resources.map((arn) => arn.split(':').slice(5).join(':') || arn);
  const more = (rest: string[]): string => (rest.length === 0 ? '' : ` +${rest.length}`);
  return `${effect} ${first}${more(others)} on ${resource}${more(moreResources)}`;
}

function texts(value: unknown): string[] {
  return [value].flat().map(String);
}
