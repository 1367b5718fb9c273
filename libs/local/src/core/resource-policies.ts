import { compilePolicy, type Policy } from '@millrace/iam-policy';

/** The policies of queues and topics, as these have them at the moment, compiled once for each text. */
export class ResourcePolicies {
  readonly #textOf: (arn: string) => string | undefined;
  readonly #compiled = new Map<string, Policy>();

  /** @param textOf the policy of a queue or topic as JSON; undefined or empty when there is none */
  constructor(textOf: (arn: string) => string | undefined) {
    this.#textOf = textOf;
  }

  /** @throws PolicyError for a policy that cannot be evaluated */
  of(arn: string): Policy | undefined {
    const text = this.#textOf(arn);
    if (!text) return undefined;
    const known = this.#compiled.get(text);
    if (known) return known;
    const policy = compilePolicy(text, 'resource-based', `The policy of ${arn}`);
    this.#compiled.set(text, policy);
    return policy;
  }
}
