/** A task that moves messages out of a dead-letter queue, as it is stored. */
export interface MoveTaskState {
  readonly id: string;
  readonly sourceArn: string;
  /** Without one, messages go back to the queues that they failed in. */
  readonly destinationArn: string | undefined;
  readonly maxPerSecond: number | undefined;
  readonly startedAt: number;
  /** How many messages there were at the start. */
  readonly toMove: number;
  moved: number;
  status: 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';
  failureReason: string | undefined;
}

/**
 * The handle of a task: base64 of JSON, as AWS has it.
 * @example moveTaskHandle({ id: '10f57157-fc38-4da9-a113-4de7e12d05aa', sourceArn: 'arn:aws:sqs:us-east-1:000000000000:dlq' })
 */
export function moveTaskHandle({ id, sourceArn }: Pick<MoveTaskState, 'id' | 'sourceArn'>): string {
  return Buffer.from(JSON.stringify({ taskId: id, sourceArn })).toString('base64');
}

/** @returns undefined for text that is not a handle */
export function readMoveTaskHandle(handle: string): { id: string; sourceArn: string } | undefined {
  try {
    const { taskId, sourceArn } = JSON.parse(Buffer.from(handle, 'base64').toString()) as Record<string, unknown>;
    if (typeof taskId === 'string' && typeof sourceArn === 'string') return { id: taskId, sourceArn };
  } catch {
    // Not JSON: reported below, like JSON of another kind.
  }
  return undefined;
}
