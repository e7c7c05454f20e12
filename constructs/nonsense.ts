/**
 * Nonsense: how a construct refuses props that cannot work. All that is wrong with one construct is said at once, in the
 * format of every other problem, with the construct's path in front.
 */
import type { IConstruct } from 'constructs';
import { type Problem, sentence } from '../lib/api/problem.ts';

/** What is wrong with one prop, before it is known whose prop it is: `path` is the prop, `what` says something of it (`is '64'`). */
export type Nonsense = Omit<Problem, 'severity'> & Required<Pick<Problem, 'allowed' | 'remedy'>>;

/**
 * @throws {Error} one line a problem: `gala/ddos-web: memory is '64'; a whole number of Mi or Gi. Write …`
 */
export function refuse(scope: IConstruct, nonsense: readonly Nonsense[]): void {
  if (nonsense.length === 0) return;
  const lines = nonsense.map((one) => sentence({ ...one, path: scope.node.path, what: `${one.path} ${one.what}`, severity: 'error' }));
  throw new Error(lines.join('\n'));
}
