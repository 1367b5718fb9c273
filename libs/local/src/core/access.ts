import type { Access } from '@millrace/iam-policy';

/** The members of an operation's input, by their names in AWS's API reference. */
export type Input = Readonly<Record<string, unknown>>;

/** Makes ARNs of this account and region: `arn('sqs', 'orders')`. */
export type ArnOf = (service: string, resource: string) => string;

/**
 * What an operation needs permission for.
 * @returns undefined where that is not known: functions may not call it then
 */
export type AccessOf = (operation: string, input: Input, arn: ArnOf) => readonly Access[] | undefined;
