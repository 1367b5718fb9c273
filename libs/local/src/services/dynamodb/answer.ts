import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { HttpAnswer } from '../../core/http-message.ts';
import type { CancellationReason, DynamoDbError } from './engine/index.ts';
import type { Consumed } from './usage.ts';

const CONTENT_TYPE = 'application/x-amz-json-1.0';
const BASE32 = '0123456789ABCDEFGHIJKLMNOPQRSTUV';

/** What a request has used, for the bill. */
export interface Used {
  /** As ConsumedCapacity has it. */
  consumed?: Consumed | Consumed[] | undefined;
  /** Of the error, without its namespace. */
  errorName?: string | undefined;
  /** Of a transaction that was cancelled. */
  reasons?: readonly CancellationReason[] | undefined;
}

/** What DynamoDB answers: a document, with the checksum that some clients verify. */
export class DynamoDbAnswer extends HttpAnswer {
  readonly used: Used;

  private constructor(status: number, content: object, used: Used) {
    const body = JSON.stringify(content);
    super(
      status,
      { 'content-type': CONTENT_TYPE, 'x-amzn-requestid': requestId(), 'x-amz-crc32': String(crc32(body)) },
      body,
    );
    this.used = used;
  }

  /** @param consumed as ConsumedCapacity has it, when that was asked for */
  static of(output: object, consumed?: Used['consumed']): DynamoDbAnswer {
    return new DynamoDbAnswer(200, output, { consumed });
  }

  /** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
  static refusing({ name, message, members, status }: DynamoDbError): DynamoDbAnswer {
    const content = { __type: `${namespaceOf(name)}#${name}`, message, ...members };
    const reasons = members.CancellationReasons as readonly CancellationReason[] | undefined;
    return new DynamoDbAnswer(status, content, { errorName: name, reasons });
  }
}

function namespaceOf(name: string): string {
  if (name === 'ValidationException') return 'com.amazon.coral.validate';
  if (name === 'SerializationException' || name === 'UnknownOperationException') return 'com.amazon.coral.service';
  return 'com.amazonaws.dynamodb.v20120810';
}

/** In the form of DynamoDB's: 52 digits and upper-case letters. */
function requestId(): string {
  let id = '';
  for (const byte of randomBytes(52)) id += BASE32[byte & 31];
  return id;
}
