/**
 * The local runtime in a process of its own, as `npm start` runs it, but for one thing: it counts what the functions
 * report in CloudWatch's embedded metric format, and tells whoever started it.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */

import { startRuntime } from '@millrace/local';
import { findWorkspaceRoot, serviceDirectories } from '@millrace/workspace/catalogue';
import { PERSONAL_MARK } from './personal-mark.ts';
import type { FromRuntime, Report } from './runtime.ts';

/** Enough to see what goes wrong; a hostile input can have a warning each. */
const KEPT_WARNINGS = 2_000;

const report: Report = { metrics: {}, warnings: [], alarms: [], leaks: [] };

function tell(message: FromRuntime): void {
  process.send?.(message);
}

/** Adds up what a line of a function's log reports, if it reports metrics. */
function countMetrics(functionName: string, line: string): void {
  if (!line.startsWith('{"_aws"')) return;
  const document = JSON.parse(line) as Record<string, unknown> & {
    _aws: { CloudWatchMetrics: { Metrics: { Name: string }[] }[] };
  };
  const sums = report.metrics[functionName] ?? {};
  report.metrics[functionName] = sums;
  for (const { Name } of document._aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics)) {
    const values = [document[Name]].flat() as number[];
    sums[Name] = (sums[Name] ?? 0) + values.reduce((sum, value) => sum + value, 0);
  }
}

const runtime = await startRuntime({
  services: serviceDirectories(findWorkspaceRoot(import.meta.dirname)),
  apiPort: 0,
  awsPort: 0,
  // No cold starts under load: on a busy machine they take longer than a function may.
  functionConcurrency: 1,
  onFunctionLog: ({ functionName, line }) => {
    countMetrics(functionName, line);
    if (line.includes(PERSONAL_MARK) && report.leaks.length < KEPT_WARNINGS)
      report.leaks.push(`${functionName}: ${line}`);
  },
  onWarning: (line) => {
    if (report.warnings.length < KEPT_WARNINGS) report.warnings.push(line);
  },
  onAlarm: ({ name, state }) => {
    if (state === 'ALARM') report.alarms.push(name);
  },
});
await runtime.warm;

process.on('message', () => tell({ report }));
process.on('SIGTERM', () => {
  void runtime.stop().then(() => process.exit(0));
});
// Whoever started it has ended.
process.on('disconnect', () => process.exit(1));
tell({ ready: { apiUrl: runtime.apiUrl, awsUrl: runtime.awsUrl, issuerUrl: runtime.issuerUrl } });
