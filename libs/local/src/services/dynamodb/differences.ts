/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const dynamodbDifferences: readonly string[] = [
  'Streams are read after every invocation and every write from outside, and once a second otherwise; AWS reads them four times a second.',
  "Without dynoxide's platform another DynamoDB is used, whose own differences apply.",
];
