import { isObject, type Json, type JsonObject } from '@millrace/states-language';
import { AwsError } from '../../../core/aws-error.ts';
import { TaskError } from '../execution/live-execution.ts';

/** Whose permissions a call has, and for what it is made. */
export interface CallIdentity {
  readonly roleArn: string;
  readonly sourceArn: string;
}

/**
 * Calls a function.
 * @param functionName its name or ARN, with a version or alias behind it if that is meant
 * @returns its answer; an empty payload at once for an asynchronous call
 * @throws AwsError for a function that is not there, or may not be called
 */
export type InvokeFunction = (
  functionName: string,
  payload: string,
  identity: CallIdentity & { readonly isAsynchronous?: boolean },
) => Promise<{ payload: string; functionError?: string | undefined }>;

/**
 * Runs a task whose resource is a function.
 * https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
 * @throws TaskError
 */
export async function invokeFunction(
  invoke: InvokeFunction,
  arn: string,
  payload: Json,
  identity: CallIdentity,
): Promise<Json> {
  try {
    return await answerOf(invoke, arn, JSON.stringify(payload), identity);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new TaskError(
      `Lambda.${error.code === 'AccessDeniedException' ? 'AWSLambdaException' : error.code}`,
      error.message,
    );
  }
}

/**
 * Runs a task of `lambda:invoke`.
 * @param isSdk as by an SDK: the payload is text
 * @throws TaskError; AwsError for a function that is not there or may not be called
 */
export async function invokeByIntegration(
  invoke: InvokeFunction,
  parameters: Json,
  identity: CallIdentity,
  isSdk: boolean,
): Promise<JsonObject> {
  const { FunctionName, Payload = null, InvocationType, Qualifier } = isObject(parameters) ? parameters : {};
  const name = typeof FunctionName === 'string' ? FunctionName : '';
  const target = typeof Qualifier === 'string' ? `${name}:${Qualifier}` : name;
  const payload = payloadOf(Payload);
  if (InvocationType === 'Event') {
    await invoke(target, payload, { ...identity, isAsynchronous: true });
    return { StatusCode: 202 };
  }
  if (isSdk) {
    const answer = await invoke(target, payload, identity);
    const failed = answer.functionError === undefined ? {} : { FunctionError: answer.functionError };
    return { ExecutedVersion: '$LATEST', Payload: answer.payload, StatusCode: 200, ...failed };
  }
  return { ExecutedVersion: '$LATEST', Payload: await answerOf(invoke, target, payload, identity), StatusCode: 200 };
}

/**
 * The bytes that are sent: text that is JSON already is sent as it is. AWS leaves a payload that is null out, and Lambda makes an empty
 * event of it.
 */
function payloadOf(payload: Json): string {
  if (payload === null) return '{}';
  if (typeof payload !== 'string') return JSON.stringify(payload);
  try {
    JSON.parse(payload);
    return payload;
  } catch {
    return JSON.stringify(payload);
  }
}

async function answerOf(invoke: InvokeFunction, name: string, payload: string, identity: CallIdentity): Promise<Json> {
  const answer = await invoke(name, payload, identity);
  const value = (answer.payload === '' ? null : JSON.parse(answer.payload)) as Json;
  if (answer.functionError === undefined) return value;
  const type = isObject(value) && typeof value.errorType === 'string' ? value.errorType : undefined;
  if (type !== undefined) throw new TaskError(type, answer.payload);
  throw new TaskError(
    'Lambda.Unknown',
    `The cause could not be determined because Lambda did not return an error type. Returned payload: ${answer.payload}`,
  );
}
