import { TemplateError } from '@millrace/cloudformation';
import { forEachResource } from '../../core/deploy.ts';
import { type AwsService, apiOf } from '../../core/service.ts';
import { pipesAccess } from './access.ts';
import { pipesDifferences } from './differences.ts';
import { PipeStore } from './pipe-store.ts';
import { Pipes } from './pipes.ts';
import { pipesResourceTypes } from './resource-types.ts';
import { pipesRoutes } from './routes.ts';
import { PIPES_METRICS } from './run.ts';
import { unsupportedParameters } from './unsupported.ts';

/** EventBridge Pipes. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes.html */
export const pipes: AwsService<undefined> = {
  name: 'pipes',
  differences: pipesDifferences,
  protocols: ['rest'],
  routes: pipesRoutes,
  resourceTypes: pipesResourceTypes,
  access: pipesAccess,
  meters: { 'pipes.requests': 'events that have passed the filter, each 64 KB is one [pipe]' },
  refusal: { code: 'AccessDeniedException', status: 403 },
  metrics: { 'AWS/EventBridge/Pipes': PIPES_METRICS },
  async start(host) {
    const store = new PipeStore(host.dataDirectory);
    const all = new Pipes(store, host);
    return {
      handle: undefined,
      api: apiOf('EventBridge Pipes', {
        CreatePipe: (input) => all.create(input),
        DescribePipe: (input) => all.describe(input),
        UpdatePipe: (input) => all.update(input),
        DeletePipe: (input) => all.delete(input),
        StartPipe: (input) => all.start(input),
        StopPipe: (input) => all.stop(input),
        ListPipes: (input) => all.list(input),
        ListTagsForResource: (input) => all.listTags(input),
        TagResource: (input) => all.tag(input),
        UntagResource: (input) => all.untag(input),
      }),
      activate: async (stacks) => {
        const declared = new Map<string, { stackName: string; logicalId: string }>();
        forEachResource(stacks, 'AWS::Pipes::Pipe', ({ name, properties, stack, logicalId }) => {
          for (const path of unsupportedParameters(properties)) {
            host.warn(`Stack ${stack.name}: ${logicalId}: ${path} of AWS::Pipes::Pipe is not supported here`);
          }
          all.declare({ ...properties, Name: name });
          declared.set(name, { stackName: stack.name, logicalId });
        });
        for (const { name, reason } of await all.activate(new Set(declared.keys()))) {
          const { stackName, logicalId } = declared.get(name) ?? { stackName: '', logicalId: name };
          throw new TemplateError(stackName, `Resources.${logicalId}`, reason);
        }
      },
      deactivate: () => all.close(),
      console: () =>
        store.list().map(({ Name, Source, Target, CurrentState }) => ({
          ...{ name: Name, source: Source, target: Target, state: CurrentState },
        })),
      [Symbol.asyncDispose]: async () => {
        await all.close();
        store.close();
      },
    };
  },
};
