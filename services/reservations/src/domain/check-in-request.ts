import { personal } from '@millrace/privacy/personal';
import * as z from 'zod';
import { checkInCodePattern } from './check-in-code.ts';

/** The body of `POST /slots/{slotId}/check-in`. The code is a secret: the mark keeps it out of logs. */
export const checkInRequest = z.strictObject({
  code: personal(z.string().regex(checkInCodePattern, 'expected a code such as 7Q4M-2XNP-9TRD')),
});
