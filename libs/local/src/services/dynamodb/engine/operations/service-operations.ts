import { DynamoDbError } from '../dynamodb-error.ts';
import type { EngineState } from './request.ts';

/**
 * DescribeLimits: AWS's defaults.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#default-limits-throughput
 */
export function describeLimits(): object {
  return {
    AccountMaxReadCapacityUnits: 80_000,
    AccountMaxWriteCapacityUnits: 80_000,
    TableMaxReadCapacityUnits: 40_000,
    TableMaxWriteCapacityUnits: 40_000,
  };
}

/** DescribeEndpoints: this DynamoDB itself, so that no client is led elsewhere. */
export function describeEndpoints({ address }: EngineState): object {
  return { Endpoints: [{ Address: address, CachePeriodInMinutes: 1440 }] };
}

/** @throws DynamoDbError always: PartiQL is not there */
export function refusePartiQl(): never {
  throw new DynamoDbError(
    'UnknownOperationException',
    'PartiQL is not available on this machine: use GetItem, PutItem, UpdateItem, DeleteItem, Query, Scan or the operations of batches and transactions',
  );
}
