/**
 * What goes in and comes out, as schemas: the same fields as the Lock kind's, so that a bound stands once. Requests are judged
 * by them; OpenAPI is made of them (openapi.ts).
 */
import * as z from 'zod';
import { flag, integer, list, number, object, oneOf, record, text } from '../../api/field.ts';
import { dnsLabel, nodeName } from '../../api/fields.ts';
import { Lock, MAX_SLOTS } from '../../api/lock.ts';
import { poolName } from '../../api/pool.ts';
import { GROUP, VERSION } from '../../api/resource.ts';
import { LEVELS } from '../types.ts';

const { template, podFrom, strategy, maxPer, near, owner } = Lock.spec.shape;

export const namespace = dnsLabel('Namespace of the pods to come.', 'feed');

const POD = {
  spec: { containers: [{ name: 'feed', image: 'harbor.bj.intra/feed/api:1188', resources: { requests: { cpu: '2', memory: '4Gi' } } }] },
};

/** `POST /v1/stock` */
export const StockQuestion = object(
  {
    doc: 'How many pods of a template fit now, where, and what limits it. Like the spec of a Lock, without what holds it.',
    example: { namespace: 'feed', template: POD, strategy: 'spread', maxPer: { rack: '30%' }, count: 200 },
  },
  {
    namespace,
    ...{ template, podFrom, strategy, maxPer, near },
    owner: owner.optional(),
    count: integer({
      doc: 'How many are wanted: percentages of `maxPer` are of it. Left out: of what fits.',
      noun: 'count',
      min: 1,
      max: MAX_SLOTS,
      example: 200,
    }).optional(),
    pools: list({ doc: 'Only nodes of these pools.', min: 1, max: 64, set: true }, poolName).optional(),
    byUse: flag({ doc: 'Choose by real use, where it was sampled, not by what is promised.', default: false, example: true }),
  },
);
export type StockQuestion = z.output<typeof StockQuestion>;

const words = (doc: string) =>
  record(
    { doc, max: 64 },
    text({ doc: 'Key.', min: 1, max: 317, example: 'team' }),
    text({ doc: 'Value.', max: 4096, example: 'feed' }),
  ).optional();

/** `POST /v1/locks`: the object as `kubectl apply` takes it; `apiVersion` and `kind` may be left out. */
export const LockQuestion = object(
  {
    doc: 'A Lock as it is written for kubectl. Asking again with the same name is the same Lock.',
    example: { metadata: { name: 'feed-api-1188', namespace: 'feed' }, spec: { template: POD, count: 200, owner: 'feed-api' } },
  },
  {
    apiVersion: oneOf([`${GROUP}/${VERSION}`], { doc: 'May be left out.' }).optional(),
    kind: oneOf([Lock.kind], { doc: 'May be left out.' }).optional(),
    metadata: object(
      { doc: 'Which Lock.' },
      { name: Lock.name, namespace, labels: words('Labels, to select by.'), annotations: words('Annotations.') },
    ),
    spec: Lock.spec,
  },
);
export type LockQuestion = z.output<typeof LockQuestion>;

const limit = text({
  doc: 'Why not one more: a supply (`cpu`, `memory`, `pods`, …) or a rule (`taint`, `addresses`, …).',
  max: 253,
  example: 'addresses',
});
const slots = (doc: string) => integer({ doc, noun: 'a count of slots', min: 0, max: Number.MAX_SAFE_INTEGER, example: 200 });
const nodes = (doc: string) => integer({ doc, noun: 'a count of nodes', min: 0, max: 100_000, example: 31 });
const limits = list(
  { doc: 'Nodes by what limits them, the most first.', max: 1000 },
  object({ doc: 'A limit.' }, { limit, nodes: nodes('Nodes that it limits.') }),
);
const age = (doc: string) => number({ doc, noun: 'an age in seconds', min: 0, max: 1e9, example: 0.4 });

/** How old what is known is; each answer has it as headers, those about stock in the body too. */
export const ages = {
  snapshotAgeSeconds: age('How long ago the least fresh kind of object was heard of.'),
  samplesAgeSeconds: age('How long ago live use was measured; left out where none is.').optional(),
};

export const StockAnswer = object(
  { doc: 'How many fit now, where, and what limits it.' },
  {
    count: slots('What a Lock with this question would get now, if it took what there is.'),
    limit,
    pools: list(
      { doc: 'By pool.', max: 1000 },
      object(
        { doc: 'A pool.' },
        {
          pool: text({ doc: 'Its name; empty: nodes of no pool.', max: 40, example: 'web' }),
          hosts: nodes('Its nodes.'),
          fit: slots('How many fit there.'),
          lockedByOthers: slots('Slots that others have locked there and not used.'),
          limits,
        },
      ),
    ),
    limits,
    nodes: list(
      { doc: 'By node, in the order of their names; left out with `nodes=false`.', max: 100_000 },
      object({ doc: 'A node.' }, { node: nodeName('Its name.'), fit: slots('How many fit there.'), limit }),
    ).optional(),
    racks: list(
      { doc: 'Where the count would lie, with `racks=true`; these add up to it.', max: 10_000 },
      object(
        { doc: 'A rack.' },
        {
          pool: text({ doc: 'Of which pool; empty: nodes of no pool.', max: 40, example: 'web' }),
          rack: text({ doc: 'Its name; left out: nodes that do not say.', max: 63, example: 'r12' }).optional(),
          fit: slots('How many would lie there.'),
        },
      ),
    ).optional(),
    tightCaps: list(
      { doc: 'Percentages of `maxPer` that are less than all on the places that there are; left out where there is none.', max: 4 },
      object(
        { doc: 'A percentage.' },
        {
          level: oneOf(LEVELS, { doc: 'Of which places.', example: 'rack' }),
          cap: text({ doc: 'The percentage.', max: 4, example: '30%' }),
          places: integer({ doc: 'Places that could ever take such a pod.', noun: 'a count of places', min: 1, max: 100_000, example: 2 }),
          most: slots('The most that can ever lie so.'),
          enough: text({ doc: 'The least percentage that would do.', max: 4, example: '50%' }),
        },
      ),
    ).optional(),
    ...ages,
  },
);
export type StockAnswer = z.output<typeof StockAnswer>;

export const podName = text({ doc: 'Name of the pod.', min: 1, max: 253, example: 'feed-api-0611' });

export const ExplainAnswer = object(
  { doc: 'Why a pod waits.' },
  {
    pod: text({ doc: 'Which.', max: 320, example: 'feed/feed-api-0611' }),
    state: oneOf(['Waits', 'Pinned', 'Bound', 'Unbound', 'Leaving', 'Done'], {
      doc: 'Behind the gate; with its slot, and not bound yet; on its node; for another scheduler or gate; being deleted; run to its end.',
      example: 'Waits',
    }),
    ageMs: number({ doc: 'Since it was made.', noun: 'an age in milliseconds', min: 0, max: 1e13, example: 42_000 }),
    schedulerName: text({ doc: 'Of whom it asks for a node.', max: 253, example: 'gala-scheduler' }),
    node: text({ doc: 'Where it is, or is to go.', max: 253, example: 'bj-a-r12-03' }).optional(),
    slot: text({ doc: "Its slot: a number of its Lock's, or `loose`.", max: 20, example: '17' }).optional(),
    lock: text({ doc: 'Its Lock.', max: 320, example: 'feed/feed-api-1188' }).optional(),
    wants: record(
      { doc: 'What it asks for, by supply: cores, bytes, bits a second.', max: 64 },
      text({ doc: 'A supply.', min: 1, max: 320, example: 'cpu' }),
      number({ doc: 'How much.', noun: 'an amount', min: 0, max: 1e18, example: 2 }),
    ),
    address: flag({ doc: 'Whether it takes an address of Gala.', example: true }),
    looked: object(
      { doc: 'What was looked at.' },
      { hosts: nodes('How many hosts.'), fit: slots('How many pods like this one they take.') },
    ).optional(),
    rows: list(
      { doc: 'By what keeps the hosts from taking it, the most first.', max: 1000 },
      object(
        { doc: 'A reason.' },
        {
          nodes: nodes('How many hosts say so.'),
          limit,
          reason: text({ doc: 'CamelCase, as events and Locks have it.', max: 63, example: 'NoAddress' }),
          message: text({ doc: 'What is there, and what is asked.', max: 4096, example: 'VLAN 110: none free on these' }),
          remedy: text({ doc: 'What to do.', max: 1024, example: 'Free Held addresses, or give the VLAN more.' }),
        },
      ),
    ),
    because: text({ doc: 'What is so, in a sentence.', max: 4096, example: 'no host takes it now; it gets its slot as soon as one does' }),
    reason: text({ doc: 'CamelCase, as its event has it, where one word says it.', max: 63, example: 'NoSuchLock' }).optional(),
    ...ages,
  },
);
export type ExplainAnswer = z.output<typeof ExplainAnswer>;

/** A Lock as it is stored. */
export const LockAnswer = z.strictObject({
  apiVersion: z.literal(`${GROUP}/${VERSION}`),
  kind: z.literal(Lock.kind),
  metadata: z.looseObject({ name: Lock.name, namespace, uid: z.string(), resourceVersion: z.string() }),
  spec: Lock.spec,
  status: Lock.status!.optional(),
});

const problemText = (doc: string, example: string) => text({ doc, max: 65_536, example });
export const ProblemAnswer = z.looseObject({
  type: problemText('Which problem: a URI below this API, `/problems#<type>`.', '/problems#bad-input'),
  title: problemText('What sort of problem it is.', 'The question is wrong'),
  status: integer({ doc: 'The HTTP status.', min: 400, max: 599, example: 400 }),
  detail: problemText('This very case, for people.', 'spec.count is -3; it is count is 1 to 5000. For example 200.'),
  remedy: problemText('What to do now.', 'Mend all that `problems` names, then ask again.'),
  problems: list(
    { doc: 'Of a wrong question: everything that is wrong with it.', max: 10_000 },
    z.looseObject({
      path: problemText('Where in the body, or which parameter.', 'spec.count'),
      what: problemText('What is there.', 'spec.count is -3'),
      allowed: problemText('What would be right.', 'count is 1 to 5000').optional(),
      remedy: problemText('What to do.', 'For example 200.').optional(),
    }),
  ).optional(),
});

export const SCHEMAS = { StockQuestion, StockAnswer, ExplainAnswer, LockQuestion, Lock: LockAnswer, Problem: ProblemAnswer } as const;
export type SchemaName = keyof typeof SCHEMAS;
