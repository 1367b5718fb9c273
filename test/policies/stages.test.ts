import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { type CompiledWorkspace, readCompiledWorkspace, workspaceRoot } from './compiled-workspace.ts';

const stages: Record<string, Record<string, unknown>> = parse(
  readFileSync(join(workspaceRoot, 'serverless.stages.yml'), 'utf8'),
);

describe('serverless.stages.yml', () => {
  test('has the stages that names are checked for', () => {
    const common = parse(readFileSync(join(workspaceRoot, 'serverless.common.yml'), 'utf8'));
    expect(Object.keys(stages)).toEqual([...common.custom.consumers.stages, 'default']);
  });

  test('sets the same things for each of them', () => {
    for (const [stage, values] of Object.entries(stages)) {
      expect([stage, Object.keys(values)]).toEqual([stage, Object.keys(stages.dev ?? {})]);
    }
  });

  test('gives a stage it does not know what dev has', () => {
    expect(stages.default).toEqual(stages.dev);
  });

  test.each(['staging', 'prod'])(
    'lets an outage that meets a single message open the circuit before its last attempt at %s',
    (stage) => {
      expect(stages[stage]?.circuitMinimumCalls).toBeLessThan(5);
      expect(stages[stage]?.sandboxOutages).toBe(false);
    },
  );

  const templates = ['serverless.common.yml', 'serverless.outbox.yml', 'services/*/*.yml', 'services/*/lake/*.yml']
    .flatMap((pattern) => globSync(pattern, { cwd: workspaceRoot }))
    .map((file) => readFileSync(join(workspaceRoot, file), 'utf8'));

  test.each(Object.keys(stages.dev ?? {}))('%s is used', (key) => {
    expect(templates.filter((text) => text.includes(`\${param:${key}}`))).not.toEqual([]);
  });
});

describe('what a stage of serverless.stages.yml becomes', () => {
  const busAndOrders = ['event-bus', 'orders'].map((name) => join(workspaceRoot, 'services', name));

  function properties({ services }: CompiledWorkspace, service: string, id: string) {
    return services.find(({ name }) => name === service)?.template.Resources?.[id]?.Properties;
  }

  test.each([
    [
      'mine',
      {
        archive: 7,
        logs: 7,
        level: 'DEBUG',
        letters: 604_800,
        mail: '',
        issuer: 'https://auth.dev.millrace.example',
        audience: 'https://api.dev.millrace.example',
        origin: undefined,
        limits: { ThrottlingRateLimit: 1000, ThrottlingBurstLimit: 2000 },
      },
    ],
    [
      'prod',
      {
        archive: 365,
        logs: 365,
        level: 'INFO',
        letters: 1_209_600,
        mail: 'on-call@millrace.example',
        issuer: 'https://auth.millrace.example',
        audience: 'https://api.millrace.example',
        origin: 'https://shop.millrace.example',
        limits: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1000 },
      },
    ],
  ])('%s', async (stage, { archive, logs, level, letters, mail, issuer, audience, origin, limits }) => {
    const workspace = await readCompiledWorkspace(stage, { directories: busAndOrders });
    expect(properties(workspace, 'event-bus', 'EventArchive')?.RetentionDays).toBe(archive);
    const bus = workspace.services.find(({ name }) => name === 'event-bus');
    expect(bus?.template.Parameters?.AlarmEmailAddress?.Default).toBe(mail);
    expect(properties(workspace, 'orders', 'RelayLogGroup')?.RetentionInDays).toBe(logs);
    expect(properties(workspace, 'orders', 'RelayDeadLetterQueue')?.MessageRetentionPeriod).toBe(letters);
    expect(properties(workspace, 'orders', 'RelayLambdaFunction')?.Environment).toMatchObject({
      Variables: { POWERTOOLS_LOG_LEVEL: level, MILLRACE_STAGE: stage },
    });
    expect(properties(workspace, 'orders', 'HttpApiAuthorizerIdentity')?.JwtConfiguration).toEqual({
      Issuer: issuer,
      Audience: [audience],
    });
    const allowed = properties(workspace, 'orders', 'HttpApi')?.CorsConfiguration;
    if (origin === undefined) expect(allowed).toBeUndefined();
    else expect(allowed).toMatchObject({ AllowOrigins: [origin] });
    expect(properties(workspace, 'orders', 'HttpApiStage')?.DefaultRouteSettings).toMatchObject(limits);
  });
});
