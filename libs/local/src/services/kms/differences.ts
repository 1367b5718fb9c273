/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const kmsDifferences: readonly string[] = [
  'Keys and aliases are those that templates declare, read only. GenerateMac, VerifyMac and DescribeKey are available; nothing is encrypted or signed.',
  'A function names a key by its id or ARN: an alias is for operators. There are no grants.',
];
