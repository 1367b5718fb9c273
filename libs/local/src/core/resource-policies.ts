import { compilePolicy, type Policy } from '@millrace/iam-policy';
import { BoundedMap } from './bounded-map.ts';

const KEPT = 1000;

/** The policies of queues and topics, as these have them at the moment, compiled once for each text. */
export class ResourcePolicies {
  readonly #textOf: (arn: string) => string | undefined;
  readonly #compiled = new BoundedMap<string, Policy>(KEPT);

  /** @param textOf the policy of a queue or topic as JSON; undefined or empty when there is none */
  constructor(textOf: (arn: string) => string | undefined) {
    this.#textOf = textOf;
  }

  /** @throws PolicyError for a policy that cannot be evaluated */
  of(arn: string): Policy | undefined {
    const text = this.#textOf(arn);
    if (!text) return undefined;
    return (
      this.#compiled.get(text) ??
      this.#compiled.set(text, compilePolicy(text, 'resource-based', `The policy of ${arn}`))
    );
  }
}
