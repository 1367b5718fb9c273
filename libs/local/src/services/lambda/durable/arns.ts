import { randomBytes } from 'node:crypto';
import { invalidParameter } from '../lambda-errors.ts';

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetDurableExecution.html */
const EXECUTION_ARN =
  /^arn:[\w-]+:lambda:[\w-]+:\d{12}:function:([\w-]+):(\$LATEST(?:\.PUBLISHED)?|\d+)\/durable-execution\/([\w-]+)\/([\w-]+)$/;

/** @example executionArn('arn:aws:lambda:…:function:saga:1', 'order-1', id) */
export function executionArn(versionArn: string, name: string, id: string): string {
  return `${versionArn}/durable-execution/${name}/${id}`;
}

/** @throws AwsError InvalidParameterValueException for what is not the ARN of a durable execution */
export function checkExecutionArn(arn: unknown): string {
  if (typeof arn !== 'string' || !EXECUTION_ARN.test(arn)) {
    throw invalidParameter(`${String(arn)} is not the ARN of a durable execution`);
  }
  return arn;
}

/** A callback and the execution that waits for it. */
export interface CallbackReference {
  executionArn: string;
  operationId: string;
}

/** Makes an id that cannot be guessed, and that says whose it is. */
export function newCallbackId({ executionArn: arn, operationId }: CallbackReference): string {
  return Buffer.from(JSON.stringify([arn, operationId, randomBytes(12).toString('hex')])).toString('base64');
}

/** @throws AwsError InvalidParameterValueException for an id that was never given out */
export function parseCallbackId(callbackId: unknown): CallbackReference {
  try {
    const [arn, operationId] = JSON.parse(Buffer.from(String(callbackId), 'base64').toString()) as unknown[];
    if (typeof operationId === 'string') return { executionArn: checkExecutionArn(arn), operationId };
  } catch {
    // Reported below.
  }
  throw invalidParameter('Invalid callback id');
}
