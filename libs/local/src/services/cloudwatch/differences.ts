/** What differs from AWS, for readers of the README and of `/_local/services`. */
export const cloudWatchDifferences: readonly string[] = [
  'A breach that the rest of its period cannot undo counts within a second; AWS needs a minute or two.',
  'Percentiles are at most 5 % off.',
  'Composite alarms have no effect. The first state after the start is not reported unless it is ALARM.',
  'An alarm on a metric that is not reported here stays in INSUFFICIENT_DATA, with a warning at the start.',
];
