import { isUnavailable } from '@millrace/errors';
import { unmarshall, type WireValue } from './attribute-value.ts';

/** What is known of the answer behind an error. */
export interface ResponseMetadata {
  httpStatusCode?: number | undefined;
  requestId?: string | undefined;
}

interface AwsErrorOptions {
  message?: string | undefined;
  $metadata?: ResponseMetadata;
}

/** An error that AWS answered, with the name and the members that the SDK gives it. */
export class AwsError extends Error {
  /** Whose fault it is. */
  readonly $fault: 'client' | 'server';
  readonly $metadata: ResponseMetadata;

  constructor(name: string, { message, $metadata = {} }: AwsErrorOptions) {
    super(message ?? name);
    this.name = name;
    this.$fault = ($metadata.httpStatusCode ?? 400) >= 500 ? 'server' : 'client';
    this.$metadata = $metadata;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: only the code that wrote an attribute knows its type
type Item = Record<string, any>;

/** The condition of a write did not hold. */
export class ConditionalCheckFailedException extends AwsError {
  /** The item as it is, with `ReturnValuesOnConditionCheckFailure: 'ALL_OLD'`. */
  readonly Item?: Item;

  constructor({ Item, ...options }: AwsErrorOptions & { Item?: Item }) {
    super('ConditionalCheckFailedException', options);
    if (Item) this.Item = Item;
  }
}

/** Why one action of a transaction kept it from happening; `None` for those that did not. */
export interface CancellationReason {
  Code?: string;
  Message?: string;
  Item?: Item;
}

/** A transaction was not carried out. */
export class TransactionCanceledException extends AwsError {
  /** One for each action, in their order. */
  readonly CancellationReasons: CancellationReason[];

  constructor({
    CancellationReasons = [],
    ...options
  }: AwsErrorOptions & { CancellationReasons?: CancellationReason[] }) {
    super('TransactionCanceledException', options);
    this.CancellationReasons = CancellationReasons;
  }
}

/** The body of an answer is not what was sent: its checksum is another one. */
export class CorruptAnswerError extends Error {
  override readonly name = 'CorruptAnswerError';
}

type WireReason = Omit<CancellationReason, 'Item'> & { Item?: Record<string, WireValue> };

function withPlainItem({ Item, ...reason }: WireReason): CancellationReason {
  return { ...reason, ...(Item && { Item: unmarshall(Item) }) };
}

/** The error of an answer. https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#operation-error-serialization */
export function errorOf(body: Record<string, unknown>, $metadata: ResponseMetadata, header: unknown): Error {
  // `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException`, or with `:http://…` behind it.
  const type = String(header ?? body.__type ?? body.code ?? `Http${$metadata.httpStatusCode}`);
  const name = type.slice(type.indexOf('#') + 1).split(':')[0] ?? type;
  const message = (body.message ?? body.Message) as string | undefined;
  const options = { message, $metadata };
  if (name === 'TransactionCanceledException') {
    const { CancellationReasons = [] } = body as { CancellationReasons?: WireReason[] };
    return new TransactionCanceledException({
      ...options,
      CancellationReasons: CancellationReasons.map(withPlainItem),
    });
  }
  if (name === 'ConditionalCheckFailedException') {
    return new ConditionalCheckFailedException({ ...withPlainItem(body as WireReason), ...options });
  }
  return new AwsError(name, options);
}

const competing = new Set(['TransactionCanceledException', 'TransactionConflictException']);

/**
 * True if the same request may succeed in a moment. Conflicts of transactions are left to the caller, as the SDK does:
 * it may have to decide again.
 */
export function isRetryable(error: unknown): boolean {
  if (error instanceof CorruptAnswerError) return true;
  return isUnavailable(error) && !competing.has((error as Error).name);
}

/** Names by which AWS says that it does not believe the time of a request. */
const skewErrors = new Set([
  'InvalidSignatureException',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
]);

export function isSkewError(error: unknown): boolean {
  return error instanceof AwsError && skewErrors.has(error.name);
}
