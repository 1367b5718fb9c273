import type * as z from 'zod';

/** Controls with line breaks, bidi controls, zero-width and other invisible characters, and characters of private use. */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** What mail programs and telephones make a link of: a scheme, or a full stop right between a word and letters. */
const link = /:\/\/|[\p{L}\p{N}][.\u3002]\p{L}{2}/u;

/**
 * A text of a caller that is to be shown to people, in a mail for example: one line of visible characters without a web
 * address. Who may place an order could otherwise let the shop send any text with any link to anybody.
 *
 * It is strict where languages and links overlap: `Dr.Meier` needs a space after its full stop, and the joiners that
 * some scripts and emoji write with are refused.
 *
 * @param schema of a text, which may be optional; marks such as `personal` stay on it
 * @returns the schema with both rules, each with an error that says what to change
 * @example
 * const guest = z.strictObject({ name: plainText(z.string().min(1).max(200)) });
 */
export function plainText<Schema extends z.ZodType<string | undefined>>(schema: Schema): Schema {
  return schema
    .refine((text) => text === undefined || !invisible.test(text), {
      error: 'expected one line of visible characters',
    })
    .refine((text) => text === undefined || !link.test(text.normalize('NFKC')), {
      error: 'expected no web address: put a space after a full stop',
    }) as Schema;
}
