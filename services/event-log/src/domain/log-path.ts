import { identifierPattern } from '@millrace/lineage/log-identifier';
import * as z from 'zod';

const id = z.string().regex(identifierPattern, 'expected 1–128 letters, digits, dots, colons, dashes and underscores');

/** The path parameters of `/events/{eventId}`. */
export const eventPath = z.object({ eventId: id });

/** The path parameters of `/lineage/{id}`: the id of an event, a subject or a correlation. */
export const lineagePath = z.object({ id });
