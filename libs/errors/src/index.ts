export {
  DuplicateEventError,
  MillraceError,
  PermanentError,
  TransientError,
  UnavailableError,
} from './error-classes.ts';
export { isUnavailable } from './unavailable.ts';
