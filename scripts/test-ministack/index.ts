import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readArguments, runCommand, UsageError } from '@millrace/command-line';
import { type RunningIssuer, startIssuer } from '@millrace/local';
import { serviceDirectories } from '@millrace/workspace/catalogue';
import { parse } from 'yaml';
import { Aws } from '../../test/end-to-end/aws.ts';
import { orderOf, Shop } from '../../test/end-to-end/shop.ts';
import type { System } from '../../test/end-to-end/system.ts';
import { judgeTemplates, skippedChecks } from '../../test/ministack/checkov.ts';
import { Cloud } from '../../test/ministack/cloud.ts';
import { endCommands } from '../../test/ministack/command.ts';
import { type Front, startFront } from '../../test/ministack/front.ts';
import type { Gap } from '../../test/ministack/gap.ts';
import { added, kindsWithout, listResources } from '../../test/ministack/inventory-of-resources.ts';
import { type MiniStack, startMiniStack } from '../../test/ministack/ministack.ts';
import { findPython } from '../../test/ministack/python.ts';
import { skipped } from '../../test/ministack/skipped.ts';
import { endToEndSuites, runSuite, type SuiteResult, unknownSkips } from '../../test/ministack/suites.ts';
import { lintTemplates } from '../../test/ministack/templates.ts';
import { virtualEnvironment } from '../../test/ministack/virtual-environment.ts';
import { Workspace } from '../../test/ministack/workspace.ts';

const HELP = `Deploys every service to MiniStack on this machine, runs the end-to-end suites against it, and removes everything.

Usage: npm run test:ministack -- [options]

  --suite <name>   only this end-to-end suite, e.g. order-flow; may be repeated
  --help           show this
`;

const root = dirname(dirname(import.meta.dirname));
const scratch = join(root, '.millrace', 'deploy');
const gapsFile = join(scratch, 'gaps.ndjson');
const startedAt = performance.now();
// Of every service's deployment and every function's container, and most of them load the same code.
process.env.NODE_COMPILE_CACHE ??= join(root, '.millrace', 'cache', 'compiled');

let suites = endToEndSuites();
const services = [...serviceDirectories(root), join(root, 'test', 'fixtures', 'probe')];
const problems: string[] = unknownSkips(skipped);
const results: SuiteResult[] = [];
let ministack: MiniStack | undefined;
let front: Front | undefined;
let issuer: RunningIssuer | undefined;
let deploySeconds: string | undefined;

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void stop().then(() => process.exit(130)));

/** Runs the command; its exit code becomes that of the process. */
export const runTestMinistack = () =>
  runCommand('test:ministack', async () => {
    const { suite, help } = readArguments({
      options: {
        suite: { type: 'string', multiple: true, default: suites },
        help: { type: 'boolean', default: false },
      },
    }).values;
    if (help) {
      process.stdout.write(HELP);
      return 0;
    }
    const unknown = suite.find((name) => !suites.includes(name));
    if (unknown !== undefined) throw new UsageError(`There is no suite "${unknown}": ${suites.join(', ')}`);
    suites = suite;
    findPython();
    try {
      const log = (line: string) => console.log(`${line} …`);
      const executables = await virtualEnvironment(join(scratch, 'venv'), 'requirements.txt', log);
      const checkov = await virtualEnvironment(join(scratch, 'checkov'), 'checkov-requirements.txt', log);
      await testTemplates(executables, checkov);
      await testDeployment(executables);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    } finally {
      await stop();
    }
    report();
    return problems.length > 0 ? 1 : 0;
  });

/** Does something, and says what and for how long. The run goes on after a failure. */
async function step(name: string, action: () => Promise<unknown>): Promise<void> {
  const from = performance.now();
  try {
    await action();
    console.log(`ok      ${name} (${seconds(from)} s)`);
  } catch (error) {
    console.log(`FAILED  ${name} (${seconds(from)} s)`);
    problems.push(`${name}: ${error instanceof Error ? error.message : error}`);
  }
}

function seconds(from: number): string {
  return ((performance.now() - from) / 1000).toFixed(1);
}

async function testTemplates(executables: string, checkov: string): Promise<void> {
  const cacheDirectory = join(root, '.millrace', 'cache', 'packages');
  let files: string[] = [];
  await step('cfn-lint finds nothing in any compiled template', async () => {
    files = await lintTemplates({ executables, services, cacheDirectory, directory: join(scratch, 'templates') });
  });
  await step(`Checkov finds nothing at prod but ${Object.keys(skippedChecks).join(', ')}`, () =>
    judgeTemplates({ executables: checkov, files: files.filter((file) => !file.includes('-probe-')) }),
  );
}

async function testDeployment(executables: string): Promise<void> {
  const workspace = new Workspace(join(scratch, 'workspace'), services);
  rmSync(gapsFile, { force: true });
  issuer = await startIssuer({ port: 0, audience: audienceOf('dev') });
  workspace.replace('serverless.stages.yml', /^( +jwtIssuer:) \S+/m, `$1 ${issuer.url}`);
  ministack = await startMiniStack({ executables, directory: join(scratch, 'ministack') });
  const awsUrl = ministack.url;
  const cloud = new Cloud(workspace, awsUrl, gapsFile);
  const before = await listResources(awsUrl);

  // What is deployed is one property away from the repository's templates, and that one replaces a queue.
  workspace.replace('serverless.outbox.yml', /(QueueName: .*-relay-dlq)$/m, '$1-renamed');
  await step('npm run deploy of a service whose bus is missing says which exports it waits for', async () => {
    expectText(await cloud.refusal(['--service', 'orders']), 'no stack exports millrace-dev:EventBusName');
  });
  const failures = problems.length;
  const deployStartedAt = performance.now();
  await step(`sls deploy: ${services.length} services through serverless-compose.yml`, () => cloud.sls(['deploy']));
  deploySeconds = seconds(deployStartedAt);
  if (problems.length > failures) return;
  await step('the listing sees every kind of resource', async () => {
    const unseen = kindsWithout(before, await listResources(awsUrl));
    if (unseen.length > 0) throw new Error(`nothing new of: ${unseen.join(', ')}`);
  });

  front = await startFront(awsUrl, await cloud.routes());
  const { apiUrl, messagesUrl } = front;
  const system = { awsUrl, apiUrl, messagesUrl, issuerUrl: issuer.url };
  const shop = new Shop(system);
  await testSuites(system);
  await testCommands(cloud, workspace, shop);

  await step('sls remove leaves nothing behind', async () => {
    await cloud.sls(['remove']);
    const left = added(before, await listResources(awsUrl));
    if (left.length > 0) throw new Error(`left: ${left.join(', ')}`);
  });
}

/** Whom the tokens of a stage are for. */
function audienceOf(stage: string): string {
  const stages: Record<string, { jwtAudience: string }> = parse(
    readFileSync(join(root, 'serverless.stages.yml'), 'utf8'),
  );
  const audience = stages[stage]?.jwtAudience;
  if (audience === undefined) throw new Error(`serverless.stages.yml has no jwtAudience for ${stage}`);
  return audience;
}

async function testSuites(system: Omit<System, 'stop'>): Promise<void> {
  const { awsUrl, apiUrl, messagesUrl, issuerUrl } = system;
  const environment = {
    ...process.env,
    MILLRACE_API_URL: apiUrl,
    MILLRACE_AWS_URL: awsUrl,
    MILLRACE_MESSAGES_URL: messagesUrl,
    MILLRACE_ISSUER_URL: issuerUrl,
  };
  const aws = new Aws(system);
  for (const suite of suites) {
    await aws.reset();
    const result = await runSuite(suite, skipped, environment, join(scratch, 'suite.json'));
    results.push(result);
    problems.push(...result.problems.map((problem) => `${suite}: ${problem}`));
    const outcome = result.problems.length > 0 ? 'FAILED' : 'ok';
    const counts = `${result.passed} passed, ${result.skipped.length} skipped, ${result.problems.length} failed`;
    console.log(`${outcome.padEnd(7)} ${suite}: ${counts} (${result.seconds.toFixed(1)} s)`);
  }
}

/** What a developer does with one service between two deployments of everything. */
async function testCommands(cloud: Cloud, workspace: Workspace, shop: Shop): Promise<void> {
  const confirmedOrder = async () => {
    const orderId = await shop.place(orderOf(await shop.stocked(1)));
    await shop.orderWith(orderId, 'OrderConfirmed');
    return orderId;
  };
  let orderId = '';
  await step('an order is confirmed', async () => {
    orderId = await confirmedOrder();
  });
  await step('sls info names the stack and its routes', async () => {
    expectText(await cloud.sls(['info'], 'orders'), 'millrace-orders-dev', /POST - https:\/\/.*\/orders/);
  });
  await step('sls logs shows what a function logged', async () => {
    expectText(await cloud.sls(['logs', '--function', 'onOrderProgress'], 'orders'), '"EventHandled":1');
  });
  await step('sls deploy function replaces the code of one function', async () => {
    const handler = 'services/orders/src/handlers/get-order.ts';
    workspace.replace(handler, 'body: orderView(stored)', 'body: { ...orderView(stored), changed: true }');
    await cloud.sls(['deploy', 'function', '--function', 'getOrder'], 'orders');
    const { body } = await shop.request('GET', `/orders/${orderId}`);
    if (!('changed' in body)) throw new Error(`GET /orders still answers ${JSON.stringify(body)}`);
  });
  await step('sls deploy of a changed service alone updates its stack and keeps its data', async () => {
    workspace.replace('serverless.common.yml', /memorySize: \d+/, 'memorySize: 640');
    await cloud.sls(['deploy'], 'orders');
    const memory = await cloud.memoryOf('millrace-orders-dev-postOrder');
    if (memory !== 640) throw new Error(`postOrder has ${memory} MB`);
    const { status } = await shop.order(orderId);
    if (status !== 'CONFIRMED') throw new Error(`the order from before is ${status}`);
    await confirmedOrder();
  });
  await step('npm run deploy refuses to give the queue its name back, since that would replace it', async () => {
    const said = await cloud.refusal(['--service', 'orders']);
    expectText(said, 'RelayDeadLetterQueue (millrace-orders-dev-relay-dlq-renamed)', 'QueueName');
  });
  await step('sls deploy without a change deploys nothing', async () => {
    expectText(await cloud.sls(['deploy'], 'orders'), 'No changes to deploy');
  });
}

function expectText(output: string, ...parts: (string | RegExp)[]): void {
  for (const part of parts) {
    const found = typeof part === 'string' ? output.includes(part) : part.test(output);
    if (!found) throw new Error(`no ${part} in:\n${output}`);
  }
}

async function stop(): Promise<void> {
  endCommands();
  await front?.close();
  await issuer?.stop();
  await ministack?.stop();
}

/** Everything that was not tested as it would run on AWS, what failed, and the figures. */
function report(): void {
  const gaps = existsSync(gapsFile) ? readFileSync(gapsFile, 'utf8').trim().split('\n').filter(Boolean) : [];
  const places = new Map<string, number>();
  for (const line of gaps) {
    const { what, how, reason } = JSON.parse(line) as Gap;
    const text = `${how}: ${what} ${reason}`;
    places.set(text, (places.get(text) ?? 0) + 1);
  }
  if (places.size > 0) {
    console.log('\nGaps of MiniStack that the test-only plugin met:');
    for (const [text, count] of places) console.log(`  ${text} (${count} times)`);
  }
  const skips = results.flatMap((result) => result.skipped);
  if (skips.length > 0) {
    console.log('\nSkipped:');
    for (const { suite, test, reason } of skips) console.log(`  ${suite}: ${test ?? 'everything'}\n      ${reason}`);
  }
  if (problems.length > 0) {
    console.log('\nFailed:');
    for (const problem of problems) console.log(`  ${problem.replaceAll('\n', '\n    ')}`);
    if (ministack) console.log(`\nMiniStack's log: ${ministack.logFile}`);
  }
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const whole = results.filter((result) => result.problems.length === 0 && result.passed > 0).length;
  const figures = [
    ...(deploySeconds === undefined ? [] : [`deployed in ${deploySeconds} s`]),
    `${whole} of ${endToEndSuites().length} suites passed`,
    `${passed} tests passed, ${skips.length} skipped`,
    `${seconds(startedAt)} s in all`,
  ];
  console.log(`\n${problems.length > 0 ? 'FAILED' : 'Passed'}: ${figures.join('; ')}`);
}
