/**
 * The Millrace service that a resource belongs to: `orders` for the function `millrace-orders-prod-relay`, its queue or its
 * table. What has no service in its name belongs to all, and is paid by the bus.
 *
 * @param services names of the folders in services/
 */
export function millraceServiceOf(resource: string, services: readonly string[], stage: string): string {
  const found = services.find((service) => {
    const stack = `millrace-${service}-${stage}`;
    return resource === stack || resource.startsWith(`${stack}-`) || resource.startsWith(`${stack}/`);
  });
  return found ?? 'event-bus';
}

/** `orders.onOrderProgress` for the function `millrace-orders-prod-onOrderProgress`. */
export function shortNameOf(resource: string, stage: string): string {
  return resource
    .replace(/^millrace-/, '')
    .replace(`-${stage}-`, '.')
    .replace(`-${stage}`, '');
}
