/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const snsDifferences: readonly string[] = [
  'HTTP and HTTPS endpoints are on this machine only. SigningCertURL is on the AWS port.',
  'E-mails and text messages are captured, not sent.',
  'Mobile push, Firehose subscriptions, data protection, archives and replays of FIFO topics and the sandbox of SMS are refused by name.',
  'AWS names the backoff functions arithmetic, geometric and exponential and not their formulas: these are ours.',
];
