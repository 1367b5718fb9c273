/**
 * What an event, a subject or a correlation may be asked for by: UUIDs, SKUs, and what the HTTP APIs accept as
 * X-Correlation-Id.
 */
export const identifierPattern = /^[\w.:-]{1,128}$/;
