export { ConfigurationError, variableFrom } from './configuration.ts';
export {
  DuplicateEventError,
  MillraceError,
  PermanentError,
  TransientError,
  UnavailableError,
} from './error-classes.ts';
export { isUnavailable } from './unavailable.ts';
