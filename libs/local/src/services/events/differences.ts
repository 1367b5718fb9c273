/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const eventsDifferences: readonly string[] = [
  'An archive has an event at once, and is enabled as soon as it is created; AWS takes minutes.',
  'PutEvents answers after the first delivery attempt to each target, except to API destinations.',
  'A rule without a RoleArn sends to another bus of the account unless the policy of that bus denies it. AWS recommends a role and does not say what happens without one.',
  'Buses and API destinations of other accounts and Regions are refused as targets.',
  'API destinations send to this machine, also over http, and to the hosts of --allow-host. Private connectivity is refused.',
  'AWS does not document the request for an OAuth token: here it is a form with grant_type, client_id and client_secret, in the query string of a GET.',
  'AWS does not say which methods have a body: here all but GET and HEAD.',
  'The words of an error for a FIFO dead-letter queue and for HTTP errors of an endpoint are ours.',
  "What callers change of a template's resource is not kept over a restart.",
  'Times of a schedule that pass while nothing runs are left out.',
  'Global endpoints, partner event sources, tags, schemas, Custom Event Buses and CloudTrail events are not available.',
  'Without --data-dir, events that wait for a retry end with the process, with a warning.',
];
