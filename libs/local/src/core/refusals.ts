import type { Access, Caller } from '@millrace/iam-policy';
import { shownIdentifier } from '@millrace/privacy';
import { BoundedMap } from './bounded-map.ts';

/** What a function, or a service of AWS for one of the templates' resources, was not allowed to do. */
export interface RefusedAccess {
  /** The function's name, the ARN of the resource that a service works for, or that of the role that it has assumed. */
  readonly caller: string;
  readonly action: string;
  readonly resource: string;
  /** Of the event that was to be put on a bus: a bus policy can name it. */
  readonly detailType?: string;
  /** As AWS words it. */
  readonly message: string;
  /** How often, since the start. */
  readonly times: number;
}

const KEPT = 1000;

/** What was refused since the start, each once however often it was tried, the last 1,000. What operators are refused is their own affair. */
export class Refusals {
  readonly #onWarning: (line: string) => void;
  readonly #refused = new BoundedMap<string, RefusedAccess>(KEPT);

  /** @param onWarning is told of the first time of each */
  constructor(onWarning: (line: string) => void) {
    this.#onWarning = onWarning;
  }

  /** @param reason a statement denies it; or none allows it; or what the request needs permission for is not known */
  add(
    { functionName, service, principalArn }: Caller,
    { action, resource, context }: Access,
    message: string,
    reason: 'denied' | 'not allowed' | 'unknown',
  ): void {
    const roleArn = /:role\//.test(principalArn) ? principalArn : undefined;
    const caller = functionName ?? service?.sourceArn ?? roleArn;
    if (caller === undefined) return;
    const [detailType] = context?.get('events:detail-type') ?? [];
    const key = [caller, action, resource, detailType].join('\n');
    const times = this.#refused.get(key)?.times ?? 0;
    const type = detailType === undefined ? {} : { detailType: shownIdentifier(detailType) };
    this.#refused.set(key, { caller, action, resource, ...type, message, times: times + 1 });
    if (times > 0) return;
    const remedies = {
      denied: 'a statement denies it',
      'not allowed':
        service !== undefined
          ? `let ${service.principal} do it in the policy of that resource, for the former as aws:SourceArn`
          : functionName === undefined
            ? 'add a statement to that role'
            : detailType === undefined
              ? 'add a statement to its iamRoleStatements'
              : 'list the event under emits of that function in serverless.yml',
      unknown: 'what that needs permission for is not known on this machine',
    };
    const what = detailType === undefined ? action : `${action} ${shownIdentifier(detailType)}`;
    this.#onWarning(`${caller} may not ${what} on ${resource}: ${remedies[reason]}`);
  }

  list(): readonly RefusedAccess[] {
    return this.#refused.values();
  }
}
