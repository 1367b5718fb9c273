/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const ssmDifferences: readonly string[] = ['Parameters are those that templates declare, read only.'];
