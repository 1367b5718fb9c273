import { orderBody } from './order-body.ts';
import type { OrderProcess, OrderScript } from './scripts.ts';
import type { Shop } from './shop.ts';

/** Orders by `POST /orders`. There is no approval: an order that is not approved is cancelled before it is paid. */
export function choreography(shop: Shop): OrderProcess {
  return {
    async run(scripts: readonly OrderScript[]) {
      const orderIds: string[] = [];
      /** Orders to cancel, and for how many rounds their payment is still kept back. */
      const toCancel = new Map<string, number>();
      for (const script of scripts) {
        const { orderId } = await shop.request('orders.postOrder', 'POST /orders', { body: orderBody(script) });
        orderIds.push(String(orderId));
        if (/^cancelled|refused$|timed out$/.test(script.kind)) toCancel.set(String(orderId), 2);
      }
      shop.keepsBack = async (detailType, orderId) => {
        const rounds = toCancel.get(orderId) ?? 0;
        if (detailType !== 'StockReserved.v1' || rounds === 0) return false;
        toCancel.set(orderId, rounds - 1);
        // To cancel twice is to cancel once.
        await shop.request('orders.postCancellation', 'POST /orders/{orderId}/cancellation', { path: { orderId } });
        return true;
      };
      await shop.settle();
      return orderIds;
    },
    async [Symbol.asyncDispose]() {},
  };
}
