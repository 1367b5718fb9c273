/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const sesDifferences: readonly string[] = ['Mails are captured at GET /_local/messages, not sent.'];
