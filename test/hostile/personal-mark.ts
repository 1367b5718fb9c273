/** Is in the personal fields of what partners send, and must be in no log and in no reason of a dead letter. */
export const PERSONAL_MARK = 'Zz-personal-zZ';
