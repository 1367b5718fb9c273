import type { AwsError } from '../../../core/aws-error.ts';
import type { MessageAttribute } from '../../../core/delivery.ts';
import type { MessageAttributes } from '../engine/message.ts';
import { invalidParameter, sqsError } from '../errors.ts';
import { sqsLimits } from '../limits.ts';
import { isAcceptableText } from './text.ts';

/** A message attribute as a request has it. */
export interface GivenAttribute {
  DataType?: string | undefined;
  StringValue?: string | undefined;
  BinaryValue?: string | undefined;
  StringListValues?: readonly string[] | undefined;
  BinaryListValues?: readonly string[] | undefined;
}

/** Letters and digits of any script, as AWS accepts them. */
const NAME = /^[\p{L}\p{N}_.-]+$/u;
const RESERVED_PREFIX = /^(aws|amazon)\./i;
const BASE_TYPES = ['String', 'Number', 'Binary'];
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;
const MAX_DIGITS = 38;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Checks the attributes of a message.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_MessageAttributeValue.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
 * @returns undefined when there are none
 * @throws AwsError InvalidParameterValueException
 */
export function checkMessageAttributes(
  given: Readonly<Record<string, GivenAttribute>> | undefined,
): MessageAttributes | undefined {
  const entries = Object.entries(given ?? {});
  if (entries.length === 0) return undefined;
  if (entries.length > sqsLimits.messageAttributes) {
    throw sqsError(
      'InvalidParameterValueException',
      `Number of message attributes [${entries.length}] exceeds the allowed maximum [${sqsLimits.messageAttributes}].`,
    );
  }
  return Object.fromEntries(
    entries.map(([name, attribute]) => {
      checkName(name);
      return [name, checkValue(name, attribute)];
    }),
  );
}

/**
 * Checks the one system attribute that a sender can give, AWSTraceHeader.
 * @throws AwsError InvalidParameterValueException
 */
export function checkSystemAttributes(
  given: Readonly<Record<string, GivenAttribute>> | undefined,
): MessageAttributes | undefined {
  const entries = Object.entries(given ?? {});
  if (entries.length === 0) return undefined;
  return Object.fromEntries(
    entries.map(([name, attribute]) => {
      if (name !== 'AWSTraceHeader') {
        throw invalidParameter('MessageSystemAttributes', name, 'The only message system attribute is AWSTraceHeader.');
      }
      const checked = checkValue(name, attribute);
      if (checked.DataType !== 'String') throw refuse(name, 'must have the type String');
      return [name, checked];
    }),
  );
}

/** The bytes that attributes add to a message: names, types and values. */
export function attributesSize(attributes: MessageAttributes | undefined): number {
  let size = 0;
  for (const name in attributes) {
    const { DataType = '', StringValue, BinaryValue } = attributes[name] ?? {};
    size += Buffer.byteLength(name) + Buffer.byteLength(DataType);
    size += StringValue === undefined ? Buffer.byteLength(BinaryValue ?? '', 'base64') : Buffer.byteLength(StringValue);
  }
  return size;
}

function checkName(name: string): void {
  if (name.length > sqsLimits.attributeNameLength) {
    throw refuse(name, `has a name of more than ${sqsLimits.attributeNameLength} characters`);
  }
  if (!NAME.test(name)) throw refuse(name, 'has a name with other characters than letters, digits, _, - and .');
  if (RESERVED_PREFIX.test(name)) throw refuse(name, 'has a name with a reserved prefix');
  if (name.startsWith('.') || name.endsWith('.') || name.includes('..')) {
    throw refuse(name, 'has a name that begins or ends with a dot, or has two in a row');
  }
}

function checkValue(name: string, given: GivenAttribute): MessageAttribute {
  const { DataType = '', StringValue, BinaryValue, StringListValues, BinaryListValues } = given;
  if (DataType === '') throw refuse(name, 'must have a DataType');
  if (DataType.length > sqsLimits.attributeTypeLength) throw refuse(name, 'has a DataType that is too long');
  const dot = DataType.indexOf('.');
  const base = dot < 0 ? DataType : DataType.slice(0, dot);
  if (!BASE_TYPES.includes(base) || !isAcceptableText(DataType)) {
    throw refuse(name, 'has a DataType that does not begin with String, Number or Binary');
  }
  if (StringListValues?.length || BinaryListValues?.length)
    throw refuse(name, 'has a list, which SQS does not support');
  if (base === 'Binary') {
    if (StringValue !== undefined) throw refuse(name, `of the type ${base} must not have a StringValue`);
    if (!BinaryValue) throw refuse(name, `must have a non-empty BinaryValue for the type ${base}`);
    if (!BASE64.test(BinaryValue)) throw refuse(name, 'has a BinaryValue that is not base64');
    return { DataType, BinaryValue };
  }
  if (BinaryValue !== undefined) throw refuse(name, `of the type ${base} must not have a BinaryValue`);
  if (!StringValue) throw refuse(name, `must have a non-empty StringValue for the type ${base}`);
  if (!isAcceptableText(StringValue)) throw refuse(name, 'has a value with characters that are not accepted');
  if (base === 'Number' && !isNumber(StringValue)) throw refuse(name, 'is not a number that SQS can have');
  return { DataType, StringValue };
}

/** Up to 38 digits, from 10^-128 to 10^126. */
function isNumber(text: string): boolean {
  if (!NUMBER.test(text)) return false;
  const digits = text.replace(/e.*$/i, '').replace(/\D/g, '').replace(/^0+/, '');
  const size = Math.abs(Number(text));
  return digits.length <= MAX_DIGITS && (digits === '' || (size >= 1e-128 && size <= 1e126));
}

function refuse(name: string, reason: string): AwsError {
  return sqsError('InvalidParameterValueException', `The message attribute '${name.slice(0, 300)}' ${reason}.`);
}
