import type { Input } from '../../core/access.ts';
import { type Api, apiOf, type Operations } from '../../core/service.ts';
import { durableOperations } from './durable/durable-operations.ts';
import { describeVersion } from './function-configuration.ts';
import { parseFunctionIdentifier } from './function-identifier.ts';
import { functionOperations } from './function-operations.ts';
import { invoke } from './invoke.ts';
import { findFunction, type LambdaParts, paginate } from './request.ts';

/**
 * Makes Lambda's API.
 *
 * https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
 * @param parts asked for with each call: they are there once the stacks are
 */
export function lambdaApi(parts: () => LambdaParts): Api {
  return apiOf('Lambda', {
    Invoke: (input) => invoke(input, parts()),
    ...functionOperations(parts),
    ...versionOperations(parts),
    ...invokeConfigOperations(parts),
    ...mappingOperations(parts),
    ...durableOperations(parts),
  });
}

function versionOperations(parts: () => LambdaParts): Operations {
  /** The function alone: these operations take no qualifier in its name. */
  const named = (input: Input) => findFunction({ FunctionName: input.FunctionName }, parts()).found;
  return {
    PublishVersion: (input) => describeVersion(parts().versions.publish(named(input), input)),
    ListVersionsByFunction: (input) => {
      const { items, next } = paginate(named(input).versions().map(describeVersion), input);
      return { Versions: items, ...next };
    },
    CreateAlias: (input) => parts().versions.createAlias(named(input), input),
    UpdateAlias: (input) => parts().versions.updateAlias(named(input), input),
    GetAlias: (input) => parts().versions.getAlias(named(input), input.Name),
    DeleteAlias: (input) => parts().versions.deleteAlias(named(input), input.Name),
    ListAliases: (input) => {
      const { items, next } = paginate(parts().versions.listAliases(named(input), input.FunctionVersion), input);
      return { Aliases: items, ...next };
    },
  };
}

function invokeConfigOperations(parts: () => LambdaParts): Operations {
  const named = (input: Input): [string, string | undefined] => {
    const { found, qualifier } = findFunction(input, parts());
    return [found.name, qualifier];
  };
  return {
    PutFunctionEventInvokeConfig: (input) => parts().invokeConfigs.put(...named(input), input),
    UpdateFunctionEventInvokeConfig: (input) => parts().invokeConfigs.put(...named(input), input, true),
    GetFunctionEventInvokeConfig: (input) => parts().invokeConfigs.get(...named(input)),
    DeleteFunctionEventInvokeConfig: (input) => parts().invokeConfigs.delete(...named(input)),
    ListFunctionEventInvokeConfigs: (input) => {
      const { items, next } = paginate(parts().invokeConfigs.list(named(input)[0]), input);
      return { FunctionEventInvokeConfigs: items, ...next };
    },
  };
}

function mappingOperations(parts: () => LambdaParts): Operations {
  return {
    ListEventSourceMappings: ({ EventSourceArn, FunctionName, ...page }) => {
      const name = FunctionName === undefined ? undefined : parseFunctionIdentifier(String(FunctionName)).name;
      const found = parts()
        .mappings.list()
        .filter((mapping) => EventSourceArn === undefined || EventSourceArn === mapping.EventSourceArn)
        .filter(({ FunctionArn }) => name === undefined || name === parseFunctionIdentifier(FunctionArn).name);
      const { items, next } = paginate(found, page);
      return { EventSourceMappings: items, ...next };
    },
    GetEventSourceMapping: ({ UUID }) => parts().mappings.get(String(UUID)),
    CreateEventSourceMapping: (input) => parts().mappings.create(input),
    UpdateEventSourceMapping: ({ UUID, ...changes }) => parts().mappings.update(String(UUID), changes),
    DeleteEventSourceMapping: ({ UUID }) => parts().mappings.delete(String(UUID)),
  };
}
