/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const httpApiDifferences: readonly string[] = [
  'All HTTP APIs share a port. Preflights for paths without a route are 404; AWS answers them.',
  'A page of an origin that no API allows is refused with 403; AWS answers it without CORS headers.',
  'Authorizers of the type REQUEST and IAM authorization are errors at the start. Account limits and access logs are not there.',
  "AWS does not document, and here is a guess: a token without exp is refused; scopes are all of the token's; refusals carry CORS headers; throttling comes before authorization, and preflights do not count; 431 for long headers; the words of an error_description; a trace id of the client is kept.",
];
