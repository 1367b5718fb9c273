/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const schedulerDifferences: readonly string[] = [
  'Universal targets are the operations that write of services that are here.',
];
