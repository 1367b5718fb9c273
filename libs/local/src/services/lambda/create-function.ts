import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Stack, TemplateError } from '@millrace/cloudformation';
import type { Host } from '../../core/service.ts';
import { logs } from '../logs/index.ts';
import { functionDefinition } from './function-definition.ts';
import { functionMetrics, type ReportFunctionMetric } from './function-metrics.ts';
import { type EndedInvocation, FunctionPool } from './function-pool.ts';
import { LocalFunction, type LocalFunctionOptions, type VersionConfiguration } from './local-function.ts';
import { countLogLine } from './log-usage.ts';
import type { OpenThread } from './threads.ts';
import { countInvocation } from './usage.ts';

/** Longer than a usual call: only calls that would hold others up get a second container. */
const SCALE_OUT_AFTER_MS = 100;

/**
 * Makes a function of its resource in a template.
 * @throws TemplateError for a function without a bundle, or a setting that Lambda would refuse
 */
export function createFunction(
  stack: Stack,
  logicalId: string,
  name: string,
  host: Host,
  { runDurable, openThread }: Pick<LocalFunctionOptions, 'runDurable'> & { openThread: OpenThread },
): LocalFunction {
  const codeDirectory = host.codeOf(name);
  if (codeDirectory === undefined) throw placed(new Error(`${name} has not been packaged`), stack, logicalId);
  const properties = stack.properties(logicalId);
  const report = functionMetrics(host, name);
  const place = { name, arn: stack.attribute(logicalId, 'Arn'), codeDirectory };
  let definition: ReturnType<typeof functionDefinition>;
  try {
    definition = functionDefinition(place, properties, {
      endpoints: { AWS_ENDPOINT_URL: host.awsUrl },
      concurrency: host.options.functionConcurrency ?? Math.max(2, availableParallelism()),
    });
  } catch (error) {
    throw placed(error, stack, logicalId);
  }
  const { Role, Description = '', DeadLetterConfig, ReservedConcurrentExecutions: reserved, Tags } = properties;
  const deadLetterQueue = (DeadLetterConfig as { TargetArn?: string } | undefined)?.TargetArn;
  const configuration: VersionConfiguration = {
    ...definition,
    role: String(Role ?? ''),
    description: String(Description),
    deadLetterQueue,
    lastModified: host.clock.now(),
    revisionId: randomUUID(),
  };
  const created = new LocalFunction(configuration, {
    createPool: (version) => createPool(version, host, openThread),
    onThrottle: () => report('Throttles', 1),
    runDurable,
  });
  if (reserved !== undefined) created.reservedConcurrency = Number(reserved);
  for (const { Key, Value } of (Tags ?? []) as { Key: string; Value: string }[]) created.tags.set(Key, String(Value));
  return created;
}

function createPool(definition: VersionConfiguration, host: Host, openThread: OpenThread): FunctionPool {
  const { authorizer, usage, options } = host;
  const { name } = definition;
  const functionLogs = host.handleOf(logs);
  const report = functionMetrics(host, name);
  return new FunctionPool(definition, {
    log: (line) => {
      if (!authorizer.mayLog(name)) return;
      if (usage) countLogLine(usage, line);
      functionLogs.write({ ...line, timestamp: host.clock.now() });
      options.onFunctionLog?.(line);
    },
    compileCacheDirectory: join(host.cacheDirectory, 'compiled'),
    answerDirect: host.answerDirect,
    openThread,
    scaleOutAfterMs: SCALE_OUT_AFTER_MS,
    onInvocation: (invocation) => {
      // Lambda writes lines of its own, too, and would be refused as well.
      authorizer.mayLog(name);
      reportInvocation(report, invocation);
      if (usage) countInvocation(usage, definition, invocation.durationMs);
    },
  });
}

/** As Lambda does: an invocation without an error is a datapoint of 0 errors, and of 0 throttles. */
function reportInvocation(report: ReportFunctionMetric, { durationMs, failed, concurrent }: EndedInvocation): void {
  report('Invocations', 1);
  report('Errors', failed ? 1 : 0);
  report('Throttles', 0);
  report('Duration', durationMs);
  report('ConcurrentExecutions', concurrent);
}

/** An error with its place in a template. */
export function placed(error: unknown, stack: Stack, logicalId: string): Error {
  if (error instanceof TemplateError) return error;
  return new TemplateError(
    stack.name,
    `Resources.${logicalId}`,
    error instanceof Error ? error.message : String(error),
  );
}
