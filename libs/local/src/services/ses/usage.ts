import type { Input } from '../../core/access.ts';

/** SES bills each recipient of a mail. */
export function recipientsOf({ Destination }: Input): number {
  return Object.values((Destination ?? {}) as Record<string, unknown[]>).reduce((sum, list) => sum + list.length, 0);
}
