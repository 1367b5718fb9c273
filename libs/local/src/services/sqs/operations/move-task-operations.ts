import { type MoveTaskState, moveTaskHandle, readMoveTaskHandle } from '../engine/move-task.ts';
import { invalidParameter, sqsError } from '../errors.ts';
import { sqsLimits } from '../limits.ts';
import type { InputOf } from '../protocol/inputs.ts';
import type { QueueDirectory } from '../queue-directory.ts';

/** The operations on tasks that move messages out of dead-letter queues. */
export function moveTaskOperations(directory: QueueDirectory) {
  const { queues } = directory;
  return {
    StartMessageMoveTask({
      SourceArn,
      DestinationArn,
      MaxNumberOfMessagesPerSecond: rate,
    }: InputOf<'StartMessageMoveTask'>) {
      const source = directory.findByArn(SourceArn, 'SourceArn');
      if (queues.sourcesOf(source.arn).length === 0) {
        throw sqsError('InvalidParameterValueException', 'Source queue must be configured as a Dead Letter Queue.');
      }
      if (rate !== undefined && (rate < 1 || rate > sqsLimits.moveTaskRate)) {
        throw invalidParameter('MaxNumberOfMessagesPerSecond', rate, `Must be from 1 to ${sqsLimits.moveTaskRate}.`);
      }
      if (DestinationArn !== undefined) {
        const destination = directory.findByArn(DestinationArn, 'DestinationArn');
        if (destination === source) throw invalidParameter('DestinationArn', DestinationArn, 'It is the source queue.');
        if (destination.fifo !== source.fifo) {
          throw invalidParameter('DestinationArn', DestinationArn, 'Both queues must be of the same type.');
        }
      }
      if (queues.tasks.of(source.arn).some(({ status }) => status === 'RUNNING')) {
        throw sqsError(
          'InvalidParameterValueException',
          'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
        );
      }
      return { TaskHandle: moveTaskHandle(queues.tasks.start(source, DestinationArn, rate)) };
    },

    ListMessageMoveTasks({ SourceArn, MaxResults = 1 }: InputOf<'ListMessageMoveTasks'>) {
      const { arn } = directory.findByArn(SourceArn, 'SourceArn');
      if (MaxResults < 1 || MaxResults > sqsLimits.listedMoveTasks) {
        throw invalidParameter('MaxResults', MaxResults, `Must be from 1 to ${sqsLimits.listedMoveTasks}.`);
      }
      return { Results: queues.tasks.of(arn).slice(0, MaxResults).map(describe) };
    },

    CancelMessageMoveTask({ TaskHandle }: InputOf<'CancelMessageMoveTask'>) {
      const handle = readMoveTaskHandle(TaskHandle);
      if (!handle) throw invalidParameter('TaskHandle', TaskHandle, 'Invalid value.');
      const task = queues.tasks.get(handle.id, handle.sourceArn);
      if (!task) throw sqsError('ResourceNotFoundException', 'Task does not exist.');
      if (task.status !== 'RUNNING') {
        throw invalidParameter('TaskHandle', TaskHandle, 'Only active tasks can be cancelled.');
      }
      queues.tasks.cancel(task);
      return { ApproximateNumberOfMessagesMoved: task.moved };
    },
  };
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasksResultEntry.html */
function describe(task: MoveTaskState) {
  const { status, sourceArn, destinationArn, maxPerSecond, moved, toMove, failureReason, startedAt } = task;
  return {
    ...(status === 'RUNNING' && { TaskHandle: moveTaskHandle(task) }),
    Status: status,
    SourceArn: sourceArn,
    ...(destinationArn !== undefined && { DestinationArn: destinationArn }),
    ...(maxPerSecond !== undefined && { MaxNumberOfMessagesPerSecond: maxPerSecond }),
    ApproximateNumberOfMessagesMoved: moved,
    ApproximateNumberOfMessagesToMove: toMove,
    ...(failureReason !== undefined && { FailureReason: failureReason }),
    StartedTimestamp: startedAt,
  };
}
