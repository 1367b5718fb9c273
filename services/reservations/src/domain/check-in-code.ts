import { createHash, randomInt } from 'node:crypto';

/** Crockford's base 32: no letters that people take for digits. https://www.crockford.com/base32.html */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUPS = 3;
const GROUP_LENGTH = 4;

/** The form of a code: `7Q4M-2XNP-9TRD`, in any case. */
export const checkInCodePattern = /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/i;

/** A new code, of 60 random bits: too many to try, for a code that is good for some days and by its holder's token only. */
export function newCheckInCode(): string {
  const group = () => Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return Array.from({ length: GROUPS }, group).join('-');
}

/** What is stored of a code. The same code of another slot or holder has another hash. */
export function checkInCodeHash({ slotId, holder, code }: { slotId: string; holder: string; code: string }): string {
  return createHash('sha256')
    .update(JSON.stringify([slotId, holder, code.toUpperCase()]))
    .digest('hex');
}
