import type { Operations } from '../../core/service.ts';
import { readConfigurationUpdate } from './configuration-update.ts';
import { describe, describeVersion } from './function-configuration.ts';
import { LATEST } from './function-identifier.ts';
import { checkRange, invalidParameter } from './lambda-errors.ts';
import type { LocalFunction } from './local-function.ts';
import { findFunction, type LambdaParts, paginate } from './request.ts';

/** Operations on functions and what is set for them. */
export function functionOperations(parts: () => LambdaParts): Operations {
  return {
    ListFunctions: ({ FunctionVersion, ...page }) => {
      const functions = [...parts().functions.byName.values()];
      const listed =
        FunctionVersion === 'ALL' ? functions.flatMap(versionsOf) : functions.map((found) => describe(found));
      const { items, next } = paginate(listed, page);
      return { Functions: items, ...next };
    },
    GetFunction: (input) => {
      const { found, qualifier } = findFunction(input, parts());
      const { reservedConcurrency, tags } = found;
      return {
        Configuration: describe(found, qualifier),
        Code: { RepositoryType: 'S3' },
        ...(tags.size > 0 && { Tags: Object.fromEntries(tags) }),
        ...(reservedConcurrency !== undefined && {
          Concurrency: { ReservedConcurrentExecutions: reservedConcurrency },
        }),
      };
    },
    GetFunctionConfiguration: (input) => {
      const { found, qualifier } = findFunction(input, parts());
      return describe(found, qualifier);
    },
    UpdateFunctionConfiguration: (input) => {
      const { functions, destinations } = parts();
      const { found } = findFunction({ FunctionName: input.FunctionName }, parts());
      const changes = readConfigurationUpdate(input, found.version(LATEST).configuration);
      if (changes.deadLetterQueue !== undefined) destinations.checkDeadLetterQueue(found.name, changes.deadLetterQueue);
      functions.update(found, changes);
      return { ...describe(found), LastUpdateStatus: 'InProgress', LastUpdateStatusReasonCode: 'Creating' };
    },
    PutFunctionConcurrency: (input) => {
      const { found } = findFunction(input, parts());
      const { ReservedConcurrentExecutions: reserved } = input;
      if (reserved === undefined) throw invalidParameter('ReservedConcurrentExecutions is required');
      checkRange('ReservedConcurrentExecutions', reserved, 0, Number.MAX_SAFE_INTEGER);
      found.reservedConcurrency = Number(reserved);
      return { ReservedConcurrentExecutions: reserved };
    },
    GetFunctionConcurrency: (input) => {
      const { reservedConcurrency } = findFunction(input, parts()).found;
      return reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: reservedConcurrency };
    },
    DeleteFunctionConcurrency: (input) => {
      findFunction(input, parts()).found.reservedConcurrency = undefined;
    },
    ListTags: ({ Resource }) => ({ Tags: Object.fromEntries(tagged(Resource, parts()).tags) }),
    TagResource: ({ Resource, Tags }) => {
      const { tags } = tagged(Resource, parts());
      for (const [key, value] of Object.entries((Tags ?? {}) as Record<string, string>)) tags.set(key, value);
    },
    UntagResource: ({ Resource, TagKeys }) => {
      const { tags } = tagged(Resource, parts());
      for (const key of TagKeys as string[]) tags.delete(key);
    },
  };
}

const versionsOf = (found: LocalFunction): Record<string, unknown>[] => found.versions().map(describeVersion);

/** Functions have tags, and their versions and aliases have none. */
function tagged(resource: unknown, parts: LambdaParts): LocalFunction {
  return findFunction({ FunctionName: resource }, parts).found;
}
