import { squash } from '@millrace/command-line';

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
