import { createHash, randomBytes } from 'node:crypto';
import type { Caller } from '@millrace/iam-policy';
import type { AccessOf, Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { awsQuery } from '../../core/protocols/query.ts';
import { type AwsService, apiOf, type Host } from '../../core/service.ts';
import { checkInput, required, structure, text, whole } from '../../core/shapes.ts';

const roleArn = text({ min: 20, max: 2048, pattern: /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/ });
const assumeRole = structure({
  RoleArn: required(roleArn),
  RoleSessionName: required(text({ min: 2, max: 64, pattern: /^[\w+=,.@-]*$/ })),
  DurationSeconds: whole({ min: 900, max: 43_200 }),
});
const HOUR_SECONDS = 3600;

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html */
const stsAccess: AccessOf = (operation, { RoleArn }) => {
  // AWS answers it also to callers whose policies deny it.
  if (operation === 'GetCallerIdentity') return [];
  return operation === 'AssumeRole' ? [{ action: 'sts:AssumeRole', resource: String(RoleArn) }] : undefined;
};

/** Security Token Service: who calls, and roles to call with. https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html */
export const sts: AwsService<undefined> = {
  name: 'sts',
  protocols: [awsQuery({ namespace: 'https://sts.amazonaws.com/doc/2011-06-15/', inputs: { AssumeRole: assumeRole } })],
  resourceTypes: {},
  access: stsAccess,
  refusal: { code: 'AccessDenied', status: 403 },
  start: async (host) => ({
    handle: undefined,
    api: apiOf('STS', {
      GetCallerIdentity: (_input, caller) => ({ UserId: userIdOf(caller), Account: caller.accountId, Arn: caller.arn }),
      AssumeRole: (input, caller) => assume(host, input, caller),
    }),
    [Symbol.asyncDispose]: async () => {},
  }),
};

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
function assume({ clock, mayAssume, addSession }: Host, input: Input, caller: Caller): object {
  checkInput(assumeRole, input, 'ValidationError');
  const role = String(input.RoleArn);
  const name = String(input.RoleSessionName);
  const accountId = role.split(':')[4] ?? '';
  const sessionArn = `arn:aws:sts::${accountId}:assumed-role/${role.slice(role.lastIndexOf('/') + 1)}/${name}`;
  const expiresAt = clock.now() + Number(input.DurationSeconds ?? HOUR_SECONDS) * 1000;
  const accessKeyId = mayAssume(role, caller.principalArn, caller.arn)
    ? addSession({ roleArn: role, name, expiresAt })
    : undefined;
  if (accessKeyId === undefined) {
    const message = `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${role}`;
    throw new AwsError('AccessDenied', message, 403);
  }
  return {
    Credentials: {
      AccessKeyId: accessKeyId,
      SecretAccessKey: randomBytes(30).toString('base64'),
      SessionToken: randomBytes(96).toString('base64'),
      Expiration: new Date(expiresAt),
    },
    AssumedRoleUser: { AssumedRoleId: `${uniqueId('AROA', role)}:${name}`, Arn: sessionArn },
  };
}

/** Of a session the role's id and the session's name. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
function userIdOf({ arn, principalArn }: Caller): string {
  const [, session] = /:assumed-role\/[^/]+\/(.+)$/.exec(arn) ?? [];
  return session === undefined ? uniqueId('AIDA', principalArn) : `${uniqueId('AROA', principalArn)}:${session}`;
}

/** The same for the same principal at each start. */
function uniqueId(prefix: string, principalArn: string): string {
  return prefix + createHash('sha256').update(principalArn).digest('hex').slice(0, 17).toUpperCase();
}
