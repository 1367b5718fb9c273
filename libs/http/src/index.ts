export type { Caller, HttpApiEvent } from './caller.ts';
export { type EndpointRequest, type EndpointResponse, endpoint, publicEndpoint } from './endpoint.ts';
export type { AnswerOnce } from './idempotency.ts';
export { minuteRange } from './minute-range.ts';
export { cursorOf, cursorParameter, limitParameter } from './paging.ts';
export { plainText } from './plain-text.ts';
export { HttpError, type ProblemError } from './problem.ts';
export { MAX_BODY_BYTES } from './request.ts';
export { SubjectQuota, subjectQuotaFromEnvironment } from './subject-quota.ts';
