import { variableFrom } from '@millrace/errors';

/** What requests are signed with. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of temporary credentials, such as those of a function's role. */
  sessionToken?: string | undefined;
}

/** Returns credentials that are valid now. It is asked before every request, so it has to remember them itself. */
export type CredentialProvider = () => Promise<Credentials>;

/**
 * The credentials that Lambda puts into a function's environment. They stay the same as long as the container lives.
 *
 * @throws ConfigurationError when a variable is not set
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
export function environmentCredentials(variables: NodeJS.ProcessEnv = process.env): Credentials {
  return {
    accessKeyId: variableFrom('AWS_ACCESS_KEY_ID', 'the id of an access key', variables),
    secretAccessKey: variableFrom('AWS_SECRET_ACCESS_KEY', 'the secret of the access key', variables),
    ...(variables.AWS_SESSION_TOKEN && { sessionToken: variables.AWS_SESSION_TOKEN }),
  };
}

/**
 * Takes the place of `@aws-sdk/credential-provider-node` in bundles, see `alias` in serverless.common.yml: a function has
 * its credentials in the environment, and the SDK's chain of files, SSO, processes and metadata services is 250 KB.
 * @public
 */
export const defaultProvider = (): CredentialProvider => async () => environmentCredentials();
