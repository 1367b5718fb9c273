/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const sqsDifferences: readonly string[] = [
  'Nothing is encrypted: keys are kept and have no effect.',
  'The quotas of messages in flight and of requests per second are not applied.',
];
