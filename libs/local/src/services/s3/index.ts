import { join } from 'node:path';
import { HttpAnswer } from '../../core/http-message.ts';
import { FUNCTION_SECRET } from '../../core/identities.ts';
import type { AwsService, Call } from '../../core/service.ts';
import { s3Access } from './access.ts';
import { type S3, startS3 } from './api.ts';
import { summarizeBuckets } from './console.ts';
import { s3Differences } from './differences.ts';
import { s3Error } from './errors.ts';
import type { S3Caller, S3Input } from './operations/input.ts';
import { readS3Request } from './protocol/request.ts';
import { answerOf } from './protocol/response.ts';
import { hasOldSignature, type SignatureCheck } from './protocol/signature.ts';
import { s3ResourceTypes } from './resource-types.ts';
import { s3MeterOf, s3Meters } from './usage.ts';

/** S3 in a runtime. */
export interface LocalS3 extends S3 {
  /** Checks presigned URLs and forms. */
  readonly check: SignatureCheck;
}

/** S3: objects are files of the data directory, what is known of them a database beside these. */
export const s3: AwsService<LocalS3> = {
  name: 's3',
  differences: s3Differences,
  protocols: ['restXml'],
  streamsBody: true,
  // A form has its signature in its fields.
  takesUnsigned: (request) =>
    hasOldSignature(request) ||
    (request.method === 'POST' && /^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '')),
  read: (request, { check }) => readS3Request(request, check),
  resourceTypes: s3ResourceTypes,
  access: (operation, input) => s3Access(operation, input as S3Input),
  refusal: { code: 'AccessDenied', status: 403 },
  meters: s3Meters,
  async start(host) {
    const { region, accountId, clock, deliver, warn, dataDirectory } = host;
    const ownDirectory = dataDirectory === undefined ? undefined : join(dataDirectory, 's3');
    const engine = startS3({ region, accountId, clock, deliver, warn, dataDirectory: ownDirectory });
    // An operator may have any secret; functions all have the same one.
    const secretOf = (accessKeyId: string) => (host.codeOf(accessKeyId) === undefined ? undefined : FUNCTION_SECRET);
    void host.whenActive.then(() => engine.activate());
    return {
      handle: { ...engine, check: { clock, secretOf } },
      api: (call) => answer(engine, call),
      meter: (usage, { functionName, operation }) => {
        const meter = s3MeterOf(operation);
        if (meter !== undefined) usage.add(meter, functionName, 1, operation);
      },
      deactivate: engine.deactivate,
      policyOf: engine.policyOf,
      console: () => ({ buckets: summarizeBuckets(engine.store) }),
      [Symbol.asyncDispose]: engine[Symbol.asyncDispose],
    };
  },
};

async function answer(engine: S3, { operation, input, caller, accessKeyId, request }: Call): Promise<HttpAnswer> {
  if (accessKeyId === undefined) {
    throw s3Error('AccessDenied', 'The request is not signed: nothing is public on this machine');
  }
  const s3Caller: S3Caller = {
    accountId: caller.accountId,
    principalId: `AWS:${caller.arn.replace(/^.*?\//, '').replace('/', ':')}`,
    sourceIp: request.sourceIp,
    requestId: request.id,
  };
  const output = await engine.call(operation, input as S3Input, s3Caller);
  const { status, headers, body } = answerOf(operation, input as S3Input, output);
  return new HttpAnswer(status, { ...headers, 'x-amz-request-id': request.id }, body);
}
