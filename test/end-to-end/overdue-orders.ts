import { documentClient } from '@millrace/aws';
import { DynamoDbEventStore } from '@millrace/event-store';
import { openOrdersIn } from '../../services/orders/src/adapters/open-orders.ts';
import { Orders } from '../../services/orders/src/adapters/orders.ts';
import type { System } from './system.ts';

/** The orders of the system under test, past the API: an order may have a deadline that has passed. */
export function ordersOf({ awsUrl: endpoint }: Pick<System, 'awsUrl'>): Orders {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = documentClient({ endpoint, region: 'us-east-1', credentials });
  const table = { client, name: 'millrace-orders-dev' };
  return new Orders(new DynamoDbEventStore(table.client, table.name), openOrdersIn(table));
}
