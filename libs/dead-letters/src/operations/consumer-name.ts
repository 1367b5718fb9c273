import { squash } from '@millrace/command-line';
import type { CatalogueEntry, ConsumerReference } from '@millrace/workspace/catalogue';

/**
 * What two names of one consumer have in common: `inventory.onOrderPlaced`, `millrace-inventory-dev-on-order-placed` and
 * the names of its dead-letter queues are all `inventoryonorderplaced`.
 */
export function consumerKey(name: string, stage: string): string {
  return squash(
    name
      .replace(/^millrace-/, '')
      .replace(`-${stage}-`, '-')
      .replace(/(-rule)?-dlq(\.fifo)?$/, '')
      .replace(/\.fifo$/, ''),
  );
}

/**
 * Finds the consumer that a rule feeds.
 *
 * @param ruleName as EventBridge has it, e.g. `millrace-inventory-dev-on-order-placed`
 * @param catalogue the events of this repository with their consumers
 * @returns undefined if no template of this repository has the rule
 * @example
 * consumerOfRule('millrace-inventory-dev-on-order-placed', 'dev', catalogue)?.function; // 'onOrderPlaced'
 */
export function consumerOfRule(
  ruleName: string,
  stage: string,
  catalogue: readonly CatalogueEntry[],
): ConsumerReference | undefined {
  const wanted = consumerKey(ruleName, stage);
  return catalogue
    .flatMap(({ consumers }) => consumers)
    .find(({ service, function: name }) => consumerKey(`${service}.${name}`, stage) === wanted);
}
