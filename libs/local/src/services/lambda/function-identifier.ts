import { validationError } from './lambda-errors.ts';

/** What a function is called in requests. */
export interface FunctionIdentifier {
  name: string;
  /** A version, `$LATEST` or the name of an alias. */
  qualifier: string | undefined;
}

/** The version that changes. */
export const LATEST = '$LATEST';

const IDENTIFIER =
  /^(?:(?:arn:[\w-]+:lambda:[\w-]+:)?\d{12}:function:)?(?<name>[\w-]+)(?::(?<qualifier>\$LATEST|[\w-]+))?$/;

/**
 * Reads a function's name, partial ARN or ARN, each with or without a qualifier.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestSyntax
 *
 * @throws AwsError ValidationException
 * @example parseFunctionIdentifier('000000000000:function:relay:live') // { name: 'relay', qualifier: 'live' }
 */
export function parseFunctionIdentifier(text: string): FunctionIdentifier {
  const { name, qualifier } = IDENTIFIER.exec(text)?.groups ?? {};
  if (name === undefined) {
    throw validationError(text, 'functionName', 'Member must be the name or the ARN of a function');
  }
  return { name, qualifier };
}
