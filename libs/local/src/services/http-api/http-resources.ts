import type { Stack } from '@millrace/cloudformation';

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

/** A resource of a stack, its properties resolved: no intrinsic function is left in them. */
export interface ResolvedResource {
  logicalId: string;
  physicalId: string;
  type: string;
  properties: Record<string, unknown>;
}
