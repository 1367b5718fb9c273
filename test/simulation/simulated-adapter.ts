/**
 * The payment provider's adapter in the simulation. It takes the place of the sandbox when payments is bundled, as the
 * adapter of a real provider would, and hands every call to the provider of the history that is under way.
 */
import {
  type ChargeRequest,
  type ChargeResult,
  ProviderUnavailableError,
  type RefundRequest,
} from '../../services/payments/src/domain/payment-provider.ts';
import type { SimulatedProvider } from './provider.ts';

declare global {
  var simulatedProvider: SimulatedProvider | undefined;
}

function provider(): SimulatedProvider {
  if (!globalThis.simulatedProvider) throw new Error('No history is under way');
  return globalThis.simulatedProvider;
}

export class SandboxProvider {
  charge(request: ChargeRequest, signal: AbortSignal): Promise<ChargeResult> {
    return provider().charge(request, signal, ProviderUnavailableError);
  }

  refund(request: RefundRequest, signal: AbortSignal): Promise<{ outcome: 'refunded'; refundId: string }> {
    return provider().refund(request, signal, ProviderUnavailableError);
  }

  find(key: string, signal: AbortSignal) {
    return provider().find(key, signal, ProviderUnavailableError);
  }

  findRefund(key: string, signal: AbortSignal) {
    return provider().findRefund(key, signal, ProviderUnavailableError);
  }
}
