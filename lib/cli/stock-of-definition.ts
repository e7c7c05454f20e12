/** Stock of a cluster definition alone: no cluster is asked. */
import { planned } from '../scheduling/planned.ts';
import { readDefinition } from './definition.ts';
import { factsOf } from './facts-of.ts';
import { BadInput } from './output.ts';
import { type AskedOf, answerFrom } from './stock-answer.ts';
import type { StockAnswer } from './stock-text.ts';

/** @param without `rack=r14`: places that are thought away */
export async function stockOfDefinition(name: string, asked: AskedOf, without: readonly string[]): Promise<StockAnswer> {
  const cluster = await readDefinition(name);
  const all = thoughtAway(planned(cluster), without);
  const now = all.launched();
  const source = { from: 'definition', name: cluster.name } as const;
  const question = { ...asked, supposed: without.length > 0 };
  const answer = answerFrom(factsOf(now.inventory), source, question);
  const undescribed = now.undescribed.length === 0 ? {} : { undescribed: now.undescribed };
  if (all.notLaunched.size === 0) return { ...answer, ...undescribed };
  const { count } = answerFrom(factsOf(all.inventory), source, question);
  return { ...answer, ...undescribed, launching: { instances: all.notLaunched.size, count } };
}

function thoughtAway(all: ReturnType<typeof planned>, without: readonly string[]): ReturnType<typeof planned> {
  try {
    return all.without(...without);
  } catch (error) {
    if (error instanceof RangeError) throw new BadInput(`--${error.message}`, { cause: error });
    throw error;
  }
}
