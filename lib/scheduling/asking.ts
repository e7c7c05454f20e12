/**
 * Asking by a template: stock and place for whoever has the pods as YAML says them, and not as a demand. Pure; what
 * `cdk8s-gala/stock` exports.
 */
import { sentence } from '../api/problem.ts';
import { SCHEDULER_NAME } from '../api/scheduling.ts';
import { demandOf } from './demand.ts';
import { type PlaceOptions, place as placeDemand } from './place.ts';
import { stock as stockOfDemand } from './stock.ts';
import type { Ask, Placement, Stock, Terrain } from './types.ts';

/** How the slots are put on nodes, and whose pods they are for. */
export interface Question extends Partial<Omit<Ask, 'demand'>> {
  /** @default the object's own, or `default` */
  readonly namespace?: string;
  /** Name of the owner, whose Held addresses count as free. @default nobody */
  readonly owner?: string;
}

/**
 * How many pods fit, where, and what limits it.
 * @param asked a pod template, a Pod, or an object that makes pods (Deployment, StatefulSet, Job, PodTemplate); or an `Ask`
 * @throws {Error} with all that is wrong with the template
 * @example stock(out.planned().without('rack=r14'), feed, { strategy: 'spread' }).count
 */
export function stock(terrain: Terrain, asked: Ask): Stock;
export function stock(terrain: Terrain, asked: object, question?: Question): Stock;
export function stock(terrain: Terrain, asked: object, question?: Question): Stock {
  return stockOfDemand(terrain, askFor(asked, question));
}

/**
 * Slots for a number of pods, or why there are not as many.
 * @param asked as of `stock`
 * @throws {Error} with all that is wrong with the template
 * @throws {RangeError} when `count` is no whole number of 0 or more
 */
export function place(terrain: Terrain, asked: Ask, count: number, options?: PlaceOptions): Placement;
export function place(terrain: Terrain, asked: object, count: number, question?: Question & PlaceOptions): Placement;
export function place(terrain: Terrain, asked: object, count: number, question: Question & PlaceOptions = {}): Placement {
  const { allowPartial, ...how } = question;
  return placeDemand(terrain, askFor(asked, how), count, { allowPartial });
}

/** The slots are for pods of `gala-scheduler`, whether or not the template says so already. */
function askFor(asked: object, { namespace, owner, strategy = 'spread', ...how }: Question = {}): Ask {
  if ('demand' in asked) return asked as Ask;
  const own = (asked as { readonly metadata?: { readonly namespace?: string } }).metadata?.namespace;
  const where = namespace ?? own ?? 'default';
  const template = templateIn(asked);
  const ours = { ...template, spec: template.spec && { schedulerName: SCHEDULER_NAME, ...template.spec } };
  const { demand, problems } = demandOf(ours, { namespace: where, owner: owner && `${where}/${owner}` });
  if (demand === undefined) throw new Error(problems.map(sentence).join('\n'));
  return { demand, strategy, ...how };
}

interface TemplateLike {
  readonly spec?: object;
}

/** Where objects of its kind keep their template; else it is one itself. */
function templateIn(object: object): TemplateLike {
  const { template, spec } = object as { readonly template?: TemplateLike; readonly spec?: { readonly template?: TemplateLike } };
  return template ?? spec?.template ?? (object as TemplateLike);
}
