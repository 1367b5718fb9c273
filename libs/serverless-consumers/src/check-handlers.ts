import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createdEvents } from '@millrace/workspace/catalogue';
import { ConfigurationError } from './configuration-error.ts';
import { acceptedTypes } from './event-names.ts';
import { contractsOfHandlers, type HandlerAnswer, type HandlerContract } from './handler-contracts.ts';
import { localEnvironment } from './local-invocation.ts';
import type { Osls } from './osls.ts';
import type { FunctionPlan } from './plan-service.ts';

/** Stands for a value that only the deployment knows. */
const placeholder = 'known-at-deployment';
const queueEndpoint = 'https://sqs.invalid';

const sourceExtensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];
const bundleExtensions = ['.cjs', '.js', '.mjs'];

/**
 * Compares `consume: { events }` of functions with the contracts of their handlers.
 *
 * @param plans the functions whose code is in `codeFolder`
 * @param codeFolder the bundle of `src/handlers/put-stock.handler` is `<codeFolder>/src/handlers/put-stock.cjs`
 * @throws ConfigurationError CONSUMERS_HANDLER_NOT_LOADED or CONSUMERS_HANDLER_MISMATCH for the first mistake
 */
export async function checkConsumers(
  serverless: Osls,
  plans: readonly FunctionPlan[],
  codeFolder: string,
): Promise<void> {
  const compared = plans.filter(
    ({ configuration: { handler, runtime } }) => handler && isNode(runtime ?? serverless.service.provider.runtime),
  );
  const answers = await contractsOfHandlers(
    compared.map((plan) => ({
      file: bundleOf(plan, codeFolder),
      name: handlerOf(plan).name,
      environment: environmentOf(serverless, plan),
    })),
  );
  compared.forEach((plan, index) => {
    checkConsumer(plan, answers[index] ?? {}, sourceOf(plan, serverless.serviceDir));
  });
}

function isNode(runtime: string | undefined): boolean {
  return runtime?.startsWith('nodejs') ?? false;
}

/** `src/handlers/put-stock.handler` → path and name */
function handlerOf({ configuration: { handler = '' } }: FunctionPlan): { path: string; name: string } {
  const dot = handler.lastIndexOf('.');
  return { path: handler.slice(0, dot), name: handler.slice(dot + 1) };
}

function bundleOf(plan: FunctionPlan, codeFolder: string): string {
  const path = join(codeFolder, handlerOf(plan).path);
  const extension = bundleExtensions.find((each) => existsSync(path + each));
  if (extension !== undefined) return path + extension;
  throw new ConfigurationError('CONSUMERS_HANDLER_NOT_LOADED', `functions.${plan.key}.handler`, 'has no bundle');
}

/** The file to name in messages. */
function sourceOf(plan: FunctionPlan, serviceDirectory: string): string {
  const { path } = handlerOf(plan);
  return path + (sourceExtensions.find((each) => existsSync(join(serviceDirectory, path + each))) ?? '');
}

/** The variables that the function has in Lambda, with placeholders for what the deployment fills in. */
function environmentOf(serverless: Osls, plan: FunctionPlan): Record<string, string> {
  const { service } = serverless;
  const own = { ...service.provider.environment, ...plan.configuration.environment };
  const resources = (service.resources as { Resources?: Record<string, unknown> } | undefined)?.Resources ?? {};
  const region = serverless.getProvider('aws').getRegion();
  const variables = Object.entries(localEnvironment(plan, own, resources, queueEndpoint)).map(
    ([name, value]) => [name, typeof value === 'object' ? placeholder : String(value)] as const,
  );
  // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
  return {
    ...Object.fromEntries(variables),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_LAMBDA_FUNCTION_NAME: plan.configuration.name,
  };
}

function checkConsumer(plan: FunctionPlan, answer: HandlerAnswer, source: string): void {
  const key = `functions.${plan.key}`;
  if ('error' in answer) {
    throw new ConfigurationError('CONSUMERS_HANDLER_NOT_LOADED', `${key}.handler`, `${source} ${answer.error}`);
  }
  checkRelay(plan, answer.emits, source);
  const { contracts } = answer;
  if (!plan.consumer) {
    // A handler of a queue that is not behind a `consume` has no list to be compared with.
    if (!contracts?.length || plan.configuration.events?.some(({ sqs }) => sqs)) return;
    throw mismatch(`${key}.events`, `${source} handles ${names(contracts)}, but the function has no consume`);
  }
  const { events, key: consumeKey, settings } = plan.consumer;
  if (!contracts) {
    const problem = `${source} does not say which events it handles: make its handler with consume() of @millrace/consumer`;
    throw mismatch(consumeKey, problem);
  }
  const ofOtherBus = contracts.find(({ category }) => (category === 'transformed') !== (settings.bus === 'analytics'));
  if (ofOtherBus) {
    const { detailType } = ofOtherBus;
    throw mismatch(
      `${consumeKey}.bus`,
      settings.bus === 'analytics'
        ? `is analytics, but ${source} handles ${detailType} itself: give its variant's contract to consume([…]), e.g. OrderPlaced.analytics`
        : `must be analytics: ${source} handles the analytics variant of ${detailType}`,
    );
  }
  const handled = new Set(contracts.flatMap(({ accepts }) => accepts));
  events.forEach(({ detailType, accepts }, index) => {
    if (accepts.every((type) => handled.has(type))) return;
    const problem = `${detailType} is listed here, but ${source} does not handle it: add it to consume([…]) there, or remove it here`;
    throw mismatch(`${consumeKey}.events[${index}]`, problem);
  });
  const delivered = acceptedTypes(events);
  const undelivered = contracts.filter(({ accepts }) => !accepts.every((type) => delivered.includes(type)));
  if (undelivered.length === 0) return;
  const problem = `${source} handles ${names(undelivered)}, but no such event is listed here: add it, or remove it there`;
  throw mismatch(`${consumeKey}.events`, problem);
}

/** A relay that does not know a contract would put no variants of its events on the analytics bus. */
function checkRelay({ key, emits }: FunctionPlan, known: readonly HandlerContract[] | undefined, source: string): void {
  if (!known) return;
  const place = `functions.${key}.emits`;
  emits.forEach(({ detailType }, index) => {
    if (known.some((contract) => contract.detailType === detailType)) return;
    throw mismatch(`${place}[${index}]`, `${detailType} is listed here, but ${source} does not give it to relay([…])`);
  });
  const unlisted = known.filter((contract) => !emits.some(({ detailType }) => detailType === contract.detailType));
  if (unlisted.length === 0) return;
  throw mismatch(place, `${source} gives ${names(unlisted)} to relay([…]), but it is not listed here`);
}

function names(contracts: readonly HandlerContract[]): string {
  return contracts.map(({ detailType }) => detailType).join(', ');
}

function mismatch(key: string, problem: string): ConfigurationError {
  return new ConfigurationError('CONSUMERS_HANDLER_MISMATCH', key, problem);
}

/**
 * Compares the `emits` and `schedules` of a service with the events that its code creates: one that is stored and not listed
 * would stay in the table, and one that is listed and never created is a permission too many.
 * @throws ConfigurationError CONSUMERS_EMITS_MISMATCH for the first difference
 */
export async function checkEmits(plans: readonly FunctionPlan[], serviceDirectory: string): Promise<void> {
  const created = await createdEvents(serviceDirectory);
  const mismatched = (key: string, problem: string) =>
    new ConfigurationError('CONSUMERS_EMITS_MISMATCH', `functions${key}`, problem);
  const listed = new Set<string>();
  for (const plan of plans) {
    for (const list of ['emits', 'schedules'] as const) {
      plan[list].forEach(({ detailType }, index) => {
        listed.add(detailType);
        if (created.has(detailType)) return;
        const problem = `${detailType} is listed here, but no code in src creates it: call create() of its contract, or remove it here`;
        throw mismatched(`.${plan.key}.${list}[${index}]`, problem);
      });
    }
  }
  const emitting = plans.find(({ emits }) => emits.length > 0);
  for (const [detailType, [file]] of created) {
    if (listed.has(detailType)) continue;
    const problem = `${file} creates ${detailType}, but no function lists it: add it to the emits of the relay`;
    throw mismatched(emitting ? `.${emitting.key}.emits` : '', problem);
  }
}
