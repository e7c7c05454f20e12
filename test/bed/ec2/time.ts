/** What happens by itself when time passes: attachments get done, instances start and end, and take their ENIs along. Pure. */
import { type Attachment, type Delays, type Eni, enisOn, type Instance, type World, withEni, withInstance, withoutEni } from './world.ts';

export type Happened =
  | { readonly what: 'attached'; readonly at: number; readonly eni: Eni & { readonly attachment: Attachment } }
  /** As it was; `deleted` where it ended with its instance. */
  | { readonly what: 'detached'; readonly at: number; readonly eni: Eni & { readonly attachment: Attachment }; readonly deleted: boolean }
  | { readonly what: 'state'; readonly at: number; readonly instance: Instance };

/** When the next thing happens; Infinity: nothing is under way. */
export function nextAt(world: World): number {
  const attachments = Object.values(world.enis).flatMap(({ attachment }) => (isUnderWay(attachment) ? attachment.doneAt : []));
  const instances = Object.values(world.instances).flatMap(({ state, untilAt }) => (state === 'running' ? [] : untilAt));
  return Math.min(...attachments, ...instances, Number.POSITIVE_INFINITY);
}

const isUnderWay = (attachment: Attachment | undefined): attachment is Attachment =>
  attachment !== undefined && attachment.status !== 'attached';

/** The world at `now`, and what happened until then, in order. */
export function settle(world: World, now: number, delays: Delays): { readonly world: World; readonly happened: readonly Happened[] } {
  const happened: Happened[] = [];
  for (let at = nextAt(world); at <= now; at = nextAt(world)) {
    const before = world;
    for (const eni of Object.values(before.enis)) {
      if (!isUnderWay(eni.attachment) || eni.attachment.doneAt > at) continue;
      const step = done(world, { ...eni, attachment: eni.attachment }, at);
      world = step.world;
      happened.push(step.happened);
    }
    for (const instance of Object.values(before.instances)) {
      if (instance.state === 'running' || instance.untilAt > at) continue;
      const step = moveOn(world, instance, at, delays);
      world = step.world;
      happened.push(...step.happened);
    }
  }
  return { world, happened };
}

function done(world: World, eni: Eni & { readonly attachment: Attachment }, at: number): { world: World; happened: Happened } {
  const { attachment, ...free } = eni;
  if (attachment.status === 'detaching') return { world: withEni(world, free), happened: { what: 'detached', at, eni, deleted: false } };
  const attached = { ...eni, attachment: { ...attachment, status: 'attached' as const } };
  return { world: withEni(world, attached), happened: { what: 'attached', at, eni: attached } };
}

function moveOn(world: World, instance: Instance, at: number, { forgetMs }: Delays): { world: World; happened: Happened[] } {
  if (instance.state === 'terminated') {
    const { [instance.id]: _gone, ...instances } = world.instances;
    return { world: { ...world, instances }, happened: [] };
  }
  if (instance.state === 'pending') {
    const runs: Instance = { ...instance, state: 'running', untilAt: at };
    return { world: withInstance(world, runs), happened: [{ what: 'state', at, instance: runs }] };
  }
  const ended: Instance = { ...instance, state: 'terminated', untilAt: at + forgetMs };
  const happened: Happened[] = [{ what: 'state', at, instance: ended }];
  let after = withInstance(world, ended);
  for (const { attachment, ...eni } of enisOn(world, instance.id)) {
    if (attachment === undefined) continue;
    const deleted = attachment.deleteOnTermination;
    after = deleted ? withoutEni(after, eni.id) : withEni(after, eni);
    happened.push({ what: 'detached', at, eni: { ...eni, attachment }, deleted });
  }
  return { world: after, happened };
}
