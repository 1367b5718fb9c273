import { isDeepStrictEqual } from 'node:util';
import { type Answer, normalize } from './answers.ts';
import type { Difference } from './compare.ts';

/** Where the other DynamoDB answers differently, and the sentence of AWS's documentation that decides it. */
export interface KnownDifference {
  /** What ours does. */
  name: string;
  page: string;
  /** As AWS writes it; what is left out is … */
  sentence: string;
  applies(difference: Difference): boolean;
}

const guide = 'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide';
const api = 'https://docs.aws.amazon.com/amazondynamodb/latest/APIReference';

/** The first that applies counts. */
export const knownDifferences: readonly KnownDifference[] = [
  {
    name: 'An index behind the end of a list appends; others fill up with NULL',
    page: `${guide}/Expressions.UpdateExpressions.html#Expressions.UpdateExpressions.SET`,
    sentence: "If the element doesn't already exist, SET appends the new element at the end of the list.",
    applies: ({ operation: { operation, input }, ours, theirs }) =>
      operation === 'UpdateItem' &&
      String(input.UpdateExpression).includes('[') &&
      isDeepStrictEqual(normalize(withoutNulls(ours)), normalize(withoutNulls(theirs))),
  },
  {
    name: 'A write that changes nothing makes no record',
    page: `${guide}/Streams.html#Streams.Enabling`,
    sentence:
      'If you perform a PutItem or UpdateItem operation that does not change any data in an item, DynamoDB Streams does not write a stream record for that operation.',
    applies: ({ operation, ours, theirs }) =>
      operation.operation === 'GetRecords' &&
      isDeepStrictEqual(recordsOf(ours), recordsOf(theirs).filter(changesSomething)),
  },
  {
    name: 'An update that only removes does not create an item',
    page: `${api}/API_UpdateItem.html#DDB-UpdateItem-request-AttributeUpdates`,
    sentence:
      'If no item with the specified Key is found: … DELETE - Causes nothing to happen; there is no attribute to delete.',
    applies: ({ operation: { operation, input }, ours, theirs }) =>
      operation === 'UpdateItem' &&
      /^\s*(REMOVE|DELETE)/.test(String(input.UpdateExpression)) &&
      !/\b(SET|ADD)\b/.test(String(input.UpdateExpression)) &&
      attributesOf(ours) === undefined &&
      Object.keys(attributesOf(theirs) ?? {}).every((name) => name === 'pk' || name === 'sk'),
  },
  {
    name: 'The old attributes of an item that was not there are none',
    page: `${api}/API_UpdateItem.html#DDB-UpdateItem-request-ReturnValues`,
    sentence: 'ALL_OLD - Returns all of the attributes of the item, as they appeared before the UpdateItem operation.',
    applies: ({ operation: { operation, input }, ours, theirs }) =>
      operation === 'UpdateItem' &&
      input.ReturnValues === 'ALL_OLD' &&
      attributesOf(ours) === undefined &&
      isDeepStrictEqual(attributesOf(theirs), input.Key),
  },
  {
    name: 'An operand of the wrong type is refused, whatever the items are',
    page: `${guide}/LegacyConditionalParameters.Conditions.html`,
    sentence:
      'LT : Less than. AttributeValueList can contain only one AttributeValue element of type String, Number, or Binary (not a set type).',
    applies: ({ ours }) => refusal(ours, /Incorrect operand type for operator or function/),
  },
  {
    name: 'The bounds of BETWEEN are of one type, the lower one first, whatever the items are',
    page: `${guide}/LegacyConditionalParameters.Conditions.html`,
    sentence:
      'BETWEEN : Greater than or equal to the first value, and less than or equal to the second value. AttributeValueList must contain two AttributeValue elements of the same type, either String, Number, or Binary (not a set type).',
    applies: ({ ours }) => refusal(ours, /The BETWEEN operator requires/),
  },
  {
    name: 'A value that no item can have is refused in an expression, too',
    page: `${guide}/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.SetTypes`,
    sentence: 'DynamoDB does not support empty sets, however, empty string and binary values are allowed within a set.',
    applies: ({ ours }) => refusal(ours, /ExpressionAttributeValues contains invalid value/),
  },
  {
    name: 'Numbers that are equal are one key, however they are written',
    page: `${guide}/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number`,
    sentence: 'Leading and trailing zeroes are trimmed.',
    applies: ({ ours }) =>
      refusal(ours, /Provided list of item keys contains duplicates|multiple operations on one item/),
  },
  {
    name: 'What is wrong with the request itself is said before anything is looked up',
    page: `${guide}/Programming.Errors.html#Programming.Errors.MessagesAndCodes`,
    sentence:
      'ValidationException … This error can occur for several reasons, such as a required parameter that is missing, a value that is out of range, or mismatched data types.',
    applies: ({ ours, theirs }) =>
      refusal(
        ours,
        /unused in expressions|only be specified when using|reserved keyword|overlap with each other|Number overflow|cannot be converted|more than one datatypes|duplicates|may not be empty|Null attribute/,
      ) &&
      'error' in theirs &&
      ['ConditionalCheckFailedException', 'TransactionCanceledException'].includes(theirs.error.name),
  },
  {
    name: 'The path of an update leads through what is there',
    page: `${guide}/Expressions.Attributes.html#Expressions.Attributes.NestedElements.DocumentPathExamples`,
    sentence: 'A document path is … to tell DynamoDB where to find an attribute.',
    applies: ({ ours }) =>
      refusal(ours, /document path provided in the update expression is invalid/) ||
      hasReason(ours, /document path provided/),
  },
  {
    name: 'Of what an update has changed only what is there is answered',
    page: `${api}/API_UpdateItem.html#DDB-UpdateItem-request-ReturnValues`,
    sentence: 'UPDATED_NEW - Returns only the updated attributes, as they appear after the UpdateItem operation.',
    applies: ({ operation: { operation, input }, ours, theirs }) =>
      operation === 'UpdateItem' &&
      /^UPDATED_/.test(String(input.ReturnValues)) &&
      String(input.UpdateExpression).includes('[') &&
      'output' in ours &&
      'output' in theirs,
  },
  {
    name: 'A query of a local index pays for each item that it fetches from the table',
    page: `${guide}/LSI.html#LSI.ThroughputConsiderations.Reads`,
    sentence:
      'For index queries that read attributes that are not projected into the local secondary index, DynamoDB needs to fetch those attributes from the base table, in addition to reading the projected attributes from the index.',
    applies: ({ operation: { operation, input }, ours, theirs }) =>
      operation === 'Query' &&
      input.IndexName === 'byWord' &&
      isDeepStrictEqual(withoutCapacity(ours), withoutCapacity(theirs)),
  },
  {
    name: 'A key that does not fit its table is a reason to cancel the transaction',
    page: `${api}/API_TransactWriteItems.html#API_TransactWriteItems_Errors`,
    sentence:
      'DynamoDB cancels a TransactWriteItems request under the following circumstances: … There is a user error, such as an invalid data format.',
    applies: ({ ours, theirs }) =>
      hasReason(ours, /key|Key/) && 'error' in theirs && theirs.error.name === 'ValidationException',
  },
  {
    name: 'A condition that does not hold ends a write, whatever the write would do',
    page: `${guide}/Expressions.ConditionExpressions.html`,
    sentence: 'If the condition expression evaluates to true, the operation succeeds; otherwise, the operation fails.',
    applies: ({ ours, theirs }) =>
      'error' in ours &&
      ours.error.name === 'ConditionalCheckFailedException' &&
      refusal(theirs, /operand|document path/),
  },
  {
    name: 'Only strings, binary values, sets, lists and maps have a size',
    page: `${guide}/Expressions.OperatorsAndFunctions.html#Expressions.OperatorsAndFunctions.Functions`,
    sentence:
      "size … Returns a number that represents an attribute's size. The following are valid data types for use with size: If the attribute is of type String … Binary … a Set data type … List or Map",
    applies: ({ operation: { input } }) => /\bsize\(/.test(JSON.stringify(input)),
  },
  {
    name: 'Both refuse the request by the same name, in other words',
    page: `${guide}/Programming.Errors.html#Programming.Errors.Components`,
    sentence: 'Each error has three components: An HTTP status code … An exception name … An error message',
    applies: ({ ours, theirs }) =>
      'error' in ours &&
      'error' in theirs &&
      ours.error.name === theirs.error.name &&
      isDeepStrictEqual(codesOf(ours), codesOf(theirs)),
  },
];

interface Record_ {
  OldImage?: unknown;
  NewImage?: unknown;
}

function recordsOf(answer: Answer): Record_[] {
  return 'output' in answer ? (answer.output.Records as Record_[]) : [];
}

function changesSomething({ OldImage, NewImage }: Record_): boolean {
  return !isDeepStrictEqual(OldImage, NewImage);
}

function withoutCapacity(answer: Answer): unknown {
  return normalize({ ...answer, ...('output' in answer && { output: { ...answer.output, ConsumedCapacity: 0 } }) });
}

/** Lists without NULL. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((each) => !(each as { NULL?: true }).NULL).map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutNulls(member)]));
}

function attributesOf(answer: Answer): object | undefined {
  return 'output' in answer ? (answer.output.Attributes as object | undefined) : undefined;
}

function refusal(answer: Answer, message: RegExp): boolean {
  return 'error' in answer && answer.error.name === 'ValidationException' && message.test(answer.error.message);
}

function reasonsOf(answer: Answer): { Code: string; Message?: string }[] {
  return 'error' in answer ? ((answer.error.reasons ?? []) as { Code: string; Message?: string }[]) : [];
}

function hasReason(answer: Answer, message: RegExp): boolean {
  return reasonsOf(answer).some(({ Message = '' }) => message.test(Message));
}

function codesOf(answer: Answer): string[] {
  return reasonsOf(answer).map(({ Code }) => Code);
}
