import { chunks } from './chunks.ts';
import type { Usage } from './usage.ts';

/** A request to one of the AWS APIs of the gateway that count by the call. */
export interface ApiCall {
  service: 'sqs' | 'ses' | 'sns';
  operation: string;
  /** Of the request's signature; a function's is its name. */
  accessKeyId: string | undefined;
  /** SES: the document; SNS: the query's parameters. */
  input?: Record<string, unknown> | URLSearchParams;
}

/** Counts a call that a function made. */
export function countApiCall(usage: Usage, functionName: string, { service, operation, input }: ApiCall): void {
  if (service === 'sqs') usage.add('sqs.requests', functionName, 1, operation);
  else if (service === 'ses') usage.add('ses.recipients', functionName, recipients(input));
  else if (input instanceof URLSearchParams && input.has('PhoneNumber')) {
    usage.add('sns.textMessages', functionName, textMessageParts(input.get('Message') ?? ''));
  } else usage.add('sns.notifications', functionName, 1);
}

/** Counts a request to an HTTP API by the event it made and the answer it got. https://aws.amazon.com/api-gateway/pricing/ */
export function countHttpRequest(usage: Usage, functionName: string, request: string, answer: string): void {
  usage.add('httpApi.requests', functionName, chunks(Buffer.byteLength(request), 512));
  usage.add('httpApi.bytesOut', functionName, Buffer.byteLength(answer));
}

/** SES bills each recipient of a mail. */
function recipients(input: ApiCall['input']): number {
  const { Destination = {} } = (input ?? {}) as { Destination?: Record<string, unknown[]> };
  return Object.values(Destination).reduce((sum, addresses) => sum + addresses.length, 0);
}

/** A long SMS is sent, and billed, in parts. https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html */
function textMessageParts(text: string): number {
  const isAscii = Buffer.byteLength(text) === text.length;
  const [alone, each] = isAscii ? [160, 153] : [70, 67];
  return text.length <= alone ? 1 : Math.ceil(text.length / each);
}
