import { AwsError } from '../../core/aws-error.ts';

/** Where state machines are. */
export interface Place {
  readonly accountId: string;
  readonly region: string;
}

/** A state machine's ARN, taken apart. */
export interface MachineArn {
  /** Without a version or alias. */
  readonly arn: string;
  readonly name: string;
  /** A version or the name of an alias. */
  readonly qualifier: string | undefined;
}

export function machineArn({ region, accountId }: Place, name: string): string {
  return `arn:aws:states:${region}:${accountId}:stateMachine:${name}`;
}

export function standardExecutionArn({ region, accountId }: Place, machine: string, name: string): string {
  return `arn:aws:states:${region}:${accountId}:execution:${machine}:${name}`;
}

export function expressExecutionArn({ region, accountId }: Place, machine: string, name: string, id: string): string {
  return `arn:aws:states:${region}:${accountId}:express:${machine}:${name}:${id}`;
}

/** @throws AwsError InvalidArn */
export function parseMachineArn(arn: string): MachineArn {
  const match = /^(arn:aws[\w-]*:states:[^:]+:\d{12}:stateMachine:([^:]+))(?::([^:]+))?$/.exec(arn);
  const [, whole, name, qualifier] = match ?? [];
  if (whole === undefined || name === undefined) throw invalidArn(arn);
  return { arn: whole, name, qualifier };
}

/** @throws AwsError InvalidArn */
export function checkExecutionArn(arn: string): string {
  if (!/^arn:aws[\w-]*:states:[^:]+:\d{12}:(execution|express|mapRun):.+$/.test(arn)) throw invalidArn(arn);
  return arn;
}

function invalidArn(arn: string): AwsError {
  return new AwsError('InvalidArn', `Invalid Arn: 'Resource type not valid in this context: ${arn}'`);
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html */
export function checkName(name: string, maximum = 80): string {
  // Control characters and those that mean something in ARNs or URLs.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a name must not have
  const forbidden = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/;
  if (name.length > 0 && name.length <= maximum && !forbidden.test(name)) return name;
  throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
}
