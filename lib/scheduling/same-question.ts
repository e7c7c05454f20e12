/** Whether two Locks ask the same: the name of a Lock is its idempotency key, so one name asks one question. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { spell } from '../api/issue.ts';
import type { Lock } from '../api/kinds.ts';
import type { Problem } from '../api/problem.ts';

type Spec = Lock['spec'];

/** @returns each field that asks something else; empty: the same question. `renewedAt` is no part of it. */
export function otherFields(asked: Spec, there: Spec): Problem[] {
  const fields = new Set([...Object.keys(asked), ...Object.keys(there)] as (keyof Spec)[]);
  fields.delete('renewedAt');
  return [...fields].sort().flatMap((field) => {
    if (isDeepStrictEqual(asked[field], there[field])) return [];
    const what = `${field} is ${spell(asked[field])}`;
    return [
      { path: `spec.${field}`, what, got: asked[field], allowed: `the Lock that is there asks ${spell(there[field])}`, severity: 'error' },
    ];
  });
}
