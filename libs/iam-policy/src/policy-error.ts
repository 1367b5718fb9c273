/** A policy that cannot be evaluated. The message begins with the place, e.g. `Statement[0].Condition.StringIs`. */
export class PolicyError extends Error {
  constructor(place: string, problem: string) {
    super(`${place}: ${problem}`);
    this.name = 'PolicyError';
  }
}
