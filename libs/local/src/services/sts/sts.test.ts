import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { hostUnderTest, operator, serve } from '../../../fixtures/service-under-test.ts';
import { ManualClock } from '../../core/clock.ts';
import type { RoleSession } from '../../core/identities.ts';
import type { RunningService } from '../../core/service.ts';
import { sts } from './index.ts';

const RoleArn = 'arn:aws:iam::000000000000:role/service/auditor';
let stack: AsyncDisposableStack;
let client: STSClient;
let running: RunningService<undefined>;
let sessions: RoleSession[];

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  sessions = [];
  running = stack.use(
    await sts.start(
      hostUnderTest({
        clock: new ManualClock(new Date('2026-06-01T00:00:00Z')),
        mayAssume: (roleArn) => !roleArn.endsWith('/others'),
        addSession: (session) => {
          if (session.roleArn.endsWith('/missing')) return undefined;
          sessions.push(session);
          return 'ASIA0123456789ABCDEF';
        },
      }),
    ),
  );
  client = new STSClient(stack.use(await serve(sts, running)).client);
});

afterEach(async () => {
  client.destroy();
  await stack.disposeAsync();
});

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
it('says who calls: an operator, or a function with the session of its role', async () => {
  expect(await client.send(new GetCallerIdentityCommand({}))).toMatchObject({
    Account: '000000000000',
    Arn: 'arn:aws:iam::000000000000:user/operator',
    UserId: expect.stringMatching(/^AIDA[0-9A-F]{17}$/),
  });
  const relay = {
    ...operator,
    arn: 'arn:aws:sts::000000000000:assumed-role/relay-role/relay',
    principalArn: 'arn:aws:iam::000000000000:role/relay-role',
  };
  await using served = await serve(sts, running, relay);
  const ofRelay = new STSClient(served.client);
  const { $metadata, ...identity } = await ofRelay.send(new GetCallerIdentityCommand({}));
  expect(identity).toEqual({
    Account: '000000000000',
    Arn: relay.arn,
    UserId: expect.stringMatching(/^AROA[0-9A-F]{17}:relay$/),
  });
});

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
it('gives credentials of a role for a time', async () => {
  const { Credentials, AssumedRoleUser } = await client.send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: 'audit', DurationSeconds: 900 }),
  );
  const sessionArn = 'arn:aws:sts::000000000000:assumed-role/auditor/audit';
  expect(AssumedRoleUser).toEqual({
    Arn: sessionArn,
    AssumedRoleId: expect.stringMatching(/^AROA[0-9A-F]{17}:audit$/),
  });
  expect(Credentials).toEqual({
    AccessKeyId: 'ASIA0123456789ABCDEF',
    SecretAccessKey: expect.any(String),
    SessionToken: expect.any(String),
    Expiration: new Date('2026-06-01T00:15:00Z'),
  });
  expect(sessions).toEqual([
    {
      roleArn: RoleArn,
      name: 'audit',
      expiresAt: Date.parse('2026-06-01T00:15:00Z'),
    },
  ]);
});

it.each(['arn:aws:iam::000000000000:role/others', 'arn:aws:iam::000000000000:role/missing'])(
  'refuses %s, which does not trust the caller or is not there',
  async (refused) => {
    await expect(client.send(new AssumeRoleCommand({ RoleArn: refused, RoleSessionName: 'x1' }))).rejects.toMatchObject(
      {
        name: 'AccessDenied',
        message: `User: ${operator.arn} is not authorized to perform: sts:AssumeRole on resource: ${refused}`,
        $metadata: { httpStatusCode: 403 },
      },
    );
  },
);

it('refuses a duration that is too short', async () => {
  await expect(
    client.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'x1', DurationSeconds: 60 })),
  ).rejects.toMatchObject({ message: expect.stringMatching(/'durationSeconds' .* greater than or equal to 900$/) });
});
