import type { Authorizer } from './authorizer.ts';
import { AwsError } from './aws-error.ts';
import { type Deliver, type Delivery, DeliveryError, serviceOfArn } from './delivery.ts';
import type { AwsService } from './service.ts';

/**
 * Makes the one way to a target.
 * @param find the service of a target, and how it takes what is delivered; undefined when it takes nothing
 */
export function deliveryTo(
  find: (service: string) =>
    | {
        service: Pick<AwsService, 'deliveryAction'>;
        deliver: Delivery;
        isThere?: ((arn: string) => boolean) | undefined;
      }
    | undefined,
  authorizer: Pick<Authorizer, 'findSenderRefusal'>,
): Deliver {
  return async (targetArn, payload, options) => {
    const target = find(serviceOfArn(targetArn));
    if (!target) throw new DeliveryError('NO_RESOURCE', `${targetArn} cannot be delivered to on this machine`, false);
    if (target.isThere?.(targetArn) === false)
      throw new DeliveryError('NO_RESOURCE', `There is no ${targetArn}`, false);
    const { deliveryAction } = target.service;
    const refusal =
      deliveryAction === undefined
        ? undefined
        : authorizer.findSenderRefusal(options.sender, { action: deliveryAction, resource: targetArn });
    if (refusal) throw new DeliveryError('NO_PERMISSIONS', refusal.message, false);
    try {
      await target.deliver(targetArn, payload, options);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const isMissing = error.status === 404 || /DoesNotExist$|NotFound/.test(error.code);
      throw new DeliveryError(isMissing ? 'NO_RESOURCE' : 'INVALID_PARAMETER', error.message, error.status >= 500);
    }
  };
}
