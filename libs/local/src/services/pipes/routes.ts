import type { RestRoute } from '../../core/service.ts';

const one = { path: '/v1/pipes/{Name}' };
const tags = { path: '/tags/{resourceArn}' };

/** https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_Operations.html */
export const pipesRoutes: readonly RestRoute[] = [
  { operation: 'CreatePipe', method: 'POST', ...one },
  { operation: 'DescribePipe', method: 'GET', ...one },
  { operation: 'UpdatePipe', method: 'PUT', ...one },
  { operation: 'DeletePipe', method: 'DELETE', ...one },
  { operation: 'StartPipe', method: 'POST', path: `${one.path}/start` },
  { operation: 'StopPipe', method: 'POST', path: `${one.path}/stop` },
  {
    operation: 'ListPipes',
    method: 'GET',
    path: '/v1/pipes',
    query: {
      ...{ NamePrefix: 'NamePrefix', DesiredState: 'DesiredState', CurrentState: 'CurrentState' },
      ...{ SourcePrefix: 'SourcePrefix', TargetPrefix: 'TargetPrefix', NextToken: 'NextToken', Limit: 'Limit#' },
    },
  },
  { operation: 'ListTagsForResource', method: 'GET', ...tags },
  { operation: 'TagResource', method: 'POST', ...tags },
  { operation: 'UntagResource', method: 'DELETE', ...tags, query: { tagKeys: 'tagKeys[]' } },
];
