import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { HttpAnswer } from '../../core/http-message.ts';
import { invalidParameter } from './lambda-errors.ts';
import { findFunction, type LambdaParts } from './request.ts';

/**
 * Invokes a function: RequestResponse, Event or DryRun.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 *
 * @throws AwsError
 */
export async function invoke(input: Input, parts: LambdaParts): Promise<unknown> {
  const { found, qualifier } = findFunction(input, parts);
  const payload = readPayload(input.Payload);
  const durableExecutionName = textOf(input.DurableExecutionName);
  const [traceHeader, clientContext] = [textOf(input.TraceHeader), readClientContext(input.ClientContext)];
  switch (input.InvocationType ?? 'RequestResponse') {
    case 'DryRun':
      return new HttpAnswer(204, {}, '');
    case 'Event': {
      const given = { qualifier, payload, traceHeader, clientContext, durableExecutionName };
      const { requestId, durableExecutionArn } = parts.acceptEvent(found, given);
      const headers = { 'x-amzn-requestid': requestId, ...executionHeader(durableExecutionArn) };
      return new HttpAnswer(202, headers, '');
    }
    case 'RequestResponse': {
      const result = await found.invoke(payload, { qualifier, traceHeader, clientContext, durableExecutionName });
      const headers = {
        'content-type': 'application/json',
        'x-amzn-requestid': result.requestId,
        'x-amz-executed-version': result.executedVersion,
        ...executionHeader(result.durableExecutionArn),
        ...(result.functionError && { 'x-amz-function-error': result.functionError }),
        ...(input.LogType === 'Tail' && { 'x-amz-log-result': Buffer.from(result.logTail).toString('base64') }),
        ...(traceHeader !== undefined && { 'x-amzn-trace-id': traceHeader }),
      };
      return new HttpAnswer(200, headers, result.payload);
    }
    default:
      throw invalidParameter(`Unknown invocation type ${input.InvocationType}`);
  }
}

function executionHeader(arn: string | undefined): Record<string, string> {
  return arn === undefined ? {} : { 'x-amz-durable-execution-arn': arn };
}

/** @throws AwsError InvalidRequestContentException */
function readPayload(body: unknown): string {
  // Bytes, or text where another service calls.
  const text = Buffer.isBuffer(body) || typeof body === 'string' ? body.toString() : '';
  const payload = text === '' ? '{}' : text;
  try {
    JSON.parse(payload);
  } catch (error) {
    const message = `Could not parse request body into json: ${(error as Error).message}`;
    throw new AwsError('InvalidRequestContentException', message, 400, { Type: 'User' });
  }
  return payload;
}

/** @throws AwsError InvalidRequestContentException */
function readClientContext(given: unknown): string | undefined {
  const text = textOf(given);
  if (text === undefined) return undefined;
  try {
    JSON.parse(Buffer.from(text, 'base64').toString());
    return text;
  } catch {
    const message = 'Client context must be a valid Base64-encoded JSON object.';
    throw new AwsError('InvalidRequestContentException', message, 400, { Type: 'User' });
  }
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}
