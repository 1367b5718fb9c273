import type * as sdk from '@aws-sdk/client-scheduler';
import type { ClientOptions } from './aws-client.ts';
import type { OutputOf, Sender } from './command.ts';
import { type HttpBinding, RestCommand, restProtocol } from './rest-protocol.ts';
import { createSender } from './sender.ts';

const SCHEDULE = '/schedules/{Name}';

/** Times in inputs, such as `StartDate`, are left out: no function needs them yet. */
type WithoutTimes<Input> = Omit<Input, 'StartDate' | 'EndDate'>;

/**
 * Makes a schedule once: `ConflictException` says that one of its name is there. Without a token of the client, as that says the same of a
 * request that is sent again after its answer was lost.
 */
export class CreateScheduleCommand extends RestCommand<
  'scheduler',
  WithoutTimes<sdk.CreateScheduleCommandInput>,
  OutputOf<sdk.CreateScheduleCommandOutput>
> {
  readonly service = 'scheduler';
  readonly operation = 'CreateSchedule';
  readonly http: HttpBinding = { method: 'POST', path: SCHEDULE };
}

/** Deletes a schedule. `ResourceNotFoundException` says that it has run, or was deleted before. */
export class DeleteScheduleCommand extends RestCommand<
  'scheduler',
  sdk.DeleteScheduleCommandInput,
  OutputOf<sdk.DeleteScheduleCommandOutput>
> {
  readonly service = 'scheduler';
  readonly operation = 'DeleteSchedule';
  readonly http: HttpBinding = {
    method: 'DELETE',
    path: SCHEDULE,
    query: { GroupName: 'groupName', ClientToken: 'clientToken' },
  };
}

export type Scheduler = Sender<'scheduler', { readonly http: HttpBinding }>;

/**
 * A client for EventBridge Scheduler.
 *
 * @param options as of `documentClient`
 * @example await scheduler().send(new DeleteScheduleCommand({ GroupName: 'time-limits', Name: orderId }));
 */
export function scheduler(options?: ClientOptions): Scheduler {
  return createSender(
    { name: 'scheduler', protocol: restProtocol, endpointVariable: 'AWS_ENDPOINT_URL_SCHEDULER' },
    options,
    {},
  );
}
