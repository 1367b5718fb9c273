import { CapacityMeter } from '../capacity.ts';
import { collectionMetrics, executeWrite, readWrite, returnedAttributes, type WriteKind } from './item-write.ts';
import type { EngineState, WriteInput } from './request.ts';

/** PutItem. */
export function putItem(state: EngineState, input: WriteInput): Record<string, unknown> {
  return single(state, 'Put', input);
}

/** UpdateItem. */
export function updateItem(state: EngineState, input: WriteInput): Record<string, unknown> {
  return single(state, 'Update', input);
}

/** DeleteItem. */
export function deleteItem(state: EngineState, input: WriteInput): Record<string, unknown> {
  return single(state, 'Delete', input);
}

function single(state: EngineState, kind: WriteKind, input: WriteInput): Record<string, unknown> {
  const write = readWrite(state, kind, input);
  const outcome = executeWrite(state, write);
  const meter = new CapacityMeter(input.ReturnConsumedCapacity);
  meter.write(write.table, outcome.before, outcome.after);
  const Attributes = returnedAttributes(write, outcome);
  const [ConsumedCapacity] = meter.report() ?? [];
  const ItemCollectionMetrics = collectionMetrics(write);
  return {
    ...(Attributes && { Attributes }),
    ...(ConsumedCapacity && { ConsumedCapacity }),
    ...(ItemCollectionMetrics && { ItemCollectionMetrics }),
  };
}
