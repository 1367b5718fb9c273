import type { Journal } from './engine/journal.ts';
import { sqsError } from './errors.ts';
import { batchOperations } from './operations/batch-operations.ts';
import { messageOperations } from './operations/message-operations.ts';
import { moveTaskOperations } from './operations/move-task-operations.ts';
import { permissionOperations } from './operations/permission-operations.ts';
import { queueOperations } from './operations/queue-operations.ts';
import { tagOperations } from './operations/tag-operations.ts';
import { type InputOf, isOperation, type OperationName } from './protocol/inputs.ts';
import { readInput } from './protocol/read-input.ts';
import type { QueueDirectory, SqsCaller } from './queue-directory.ts';

type Operations = ReturnType<typeof createOperations>;
export type OutputOf<Name extends OperationName> = Awaited<ReturnType<Operations[Name]>>;

/** The operations of SQS by name. */
export interface SqsApi {
  /**
   * Calls an operation.
   *
   * @param input checked here: whatever it is, the caller gets an answer or a client error
   * @param signal ends the wait of ReceiveMessage
   * @throws AwsError with the code that SQS has for it
   * @example await api.call('SendMessage', { QueueUrl, MessageBody: 'Hello' })
   */
  call<Name extends OperationName>(
    operation: Name,
    input: InputOf<Name>,
    caller?: SqsCaller,
    signal?: AbortSignal,
  ): Promise<OutputOf<Name>>;
  call(operation: string, input: unknown, caller?: SqsCaller, signal?: AbortSignal): Promise<object>;
}

/**
 * @param journal an operation is answered when the changes it made are kept
 */
export function createApi(directory: QueueDirectory, journal: Journal): SqsApi {
  const operations: Record<string, (input: never, caller: SqsCaller, signal?: AbortSignal) => object> =
    createOperations(directory);
  const call = async (name: string, input: unknown, caller: SqsCaller = {}, signal?: AbortSignal): Promise<object> => {
    if (!isOperation(name)) throw sqsError('UnknownOperationException', `SQS has no operation ${name.slice(0, 100)}.`);
    const output = await operations[name]?.(readInput(name, input) as never, caller, signal);
    await journal.committed();
    return output ?? {};
  };
  return { call: call as SqsApi['call'] };
}

function createOperations(directory: QueueDirectory) {
  return {
    ...queueOperations(directory),
    ...messageOperations(directory),
    ...batchOperations(directory),
    ...tagOperations(directory),
    ...permissionOperations(directory),
    ...moveTaskOperations(directory),
  } satisfies { [Name in OperationName]: (input: InputOf<Name>, caller: SqsCaller, signal?: AbortSignal) => object };
}
