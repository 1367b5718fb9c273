export { messageOf } from './described-error.ts';
export { shownIdentifier } from './identifier.ts';
export { guard, guardOf, type Redaction, redact } from './redaction.ts';
export { shown, shownMember } from './shown.ts';
