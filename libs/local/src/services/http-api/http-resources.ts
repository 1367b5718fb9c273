import type { Stack } from '@millrace/cloudformation';
import type { ResolvedResource } from './http-api.ts';

/** The resources of a stack that make up its HTTP API. */
export function httpResourcesOf(stack: Stack): ResolvedResource[] {
  return stack
    .resources()
    .filter(({ type }) => type.startsWith('AWS::ApiGatewayV2::'))
    .map(({ type, logicalId }) => ({
      type,
      logicalId,
      physicalId: stack.ref(logicalId),
      properties: stack.properties(logicalId),
    }));
}
