export { type Access, findRefusal, type Refusal } from './authorization.ts';
export { type Caller, serviceCaller } from './caller.ts';
export { compilePolicy, type Policy } from './policy.ts';
export { PolicyError } from './policy-error.ts';
export { notAbout, type Statement } from './statement.ts';
