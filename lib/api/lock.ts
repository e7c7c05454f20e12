/**
 * Lock: slots on nodes, with their addresses, held for an owner before the pods exist. Its name is the idempotency key:
 * asking again with the same name is the same lock, so its question never changes; only `renewedAt` moves.
 */

import type { Rule } from './field.ts';
import { flag, foreign, integer, list, object, oneOf, text } from './field.ts';
import { dnsLabel, ipv4, maxPer, message, near, nodeName, SUBDOMAIN, strategy, timestamp, word } from './fields.ts';
import type { TypeOf } from './resource.ts';
import { conditions, observedGeneration, resource } from './resource.ts';

/** The most slots one lock may ask for; `status.slots` must fit one etcd object (1.5 MiB) with all of them at their longest. */
export const MAX_SLOTS = 5000;

/** Longer Node names exist (253), yet 5000 slots of them do not fit one etcd object. */
const SLOT_NODE = 128;

export const WAYS_ON_DRAIN = ['move', 'replace', 'wait'] as const;

const fields = {
  template: foreign({
    doc: 'The pods to come, as `template` of a Deployment: their labels and annotations (bandwidth) and their spec. The API server keeps it as it is; its fields are checked when a pod is made of it.',
    example: {
      metadata: { labels: { app: 'feed-api' }, annotations: { 'kubernetes.io/egress-bandwidth': '200M' } },
      spec: {
        containers: [{ name: 'feed', image: 'harbor.bj.intra/feed/api:1188', resources: { requests: { cpu: '2', memory: '4Gi' } } }],
      },
    },
  }).optional(),
  podFrom: object(
    { doc: 'Where the pod template is taken from, in the same namespace; read once, when the lock is planned.' },
    {
      kind: oneOf(['Pod', 'PodTemplate', 'Deployment', 'StatefulSet', 'ReplicaSet', 'Job', 'ServicePool'], {
        doc: 'Kind of the object.',
        example: 'Deployment',
      }),
      name: text({
        doc: 'Its name.',
        min: 1,
        max: 253,
        pattern: SUBDOMAIN,
        noun: 'an object name (RFC 1123 subdomain)',
        example: 'feed-api',
      }),
    },
  ).optional(),
  count: integer({ doc: 'How many slots.', noun: 'count', min: 1, max: MAX_SLOTS, example: 200 }),
  strategy,
  maxPer: maxPer.optional(),
  near: near.optional(),
  // Only the name: whose namespace it is, nobody can choose, so no editor of one namespace takes addresses held for another.
  owner: text({
    doc: "Who the slots are for, the same over all its pods and releases: a name in this Lock's namespace. A Held address goes only to its own owner.",
    min: 1,
    max: 253,
    pattern: SUBDOMAIN,
    noun: "a name without its namespace (RFC 1123 subdomain); the namespace is the Lock's own",
    example: 'feed-api',
  }),
  ttlSeconds: integer({
    doc: 'How long an unused slot waits for its pod after the last renewal.',
    noun: 'ttlSeconds',
    min: 10,
    max: 3600,
    default: 300,
    example: 300,
  }),
  renewedAt: timestamp('Renews the lock whenever it changes; how long ago is counted by the lock writer, not from this time.').optional(),
  allowPartial: flag({ doc: 'Fewer slots than `count` are welcome; otherwise it is all or nothing.', default: false, example: true }),
  holdSeconds: integer({
    doc: "How long a Held address waits for its owner's next pod; 0 is for ever, for the ordinals of a StatefulSet.",
    noun: 'holdSeconds',
    min: 0,
    max: 604_800,
    default: 600,
    example: 600,
  }),
  moveOnDrain: oneOf(WAYS_ON_DRAIN, {
    doc: "What becomes of a slot without a pod on a node that is cordoned, off or gone: `move`, with its address, to another node; `replace`, to another node with another address; `wait` until the node is back. Left out it is `move` on VLANs, and `replace` where the address is a pod ENI's, which lives and dies with its instance.",
    example: 'move',
  }).optional(),
};

/** CEL can't say "all but": each field that is part of the question has its own rule. */
const frozen: readonly Rule[] = Object.keys(fields)
  .filter((field) => field !== 'renewedAt')
  .map((field) => ({
    rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
    message: `${field} is immutable: the name of a lock is its idempotency key, and one name asks one question. Make a lock of another name`,
    fieldPath: `.${field}`,
  }));

const slots = (doc: string) => integer({ doc, noun: 'a count of slots', min: 0, max: MAX_SLOTS, example: 200 });

export const Lock = resource('Lock', {
  doc: 'Slots on nodes, with their addresses, held for an owner before the pods exist. Its name is the idempotency key.',
  scope: 'Namespaced',
  plural: 'locks',
  shortNames: ['lk'],
  name: dnsLabel('The idempotency key: asking again with the same name is the same lock.', 'feed-api-1188'),
  spec: object(
    {
      doc: 'What is asked for.',
      rules: [
        { rule: 'has(self.template) != has(self.podFrom)', message: 'either template or podFrom must be given, and not both' },
        ...frozen,
      ],
    },
    fields,
  ),
  status: object(
    { doc: 'What was found, by the lock writer alone.' },
    {
      observedGeneration,
      phase: oneOf(['Planning', 'Ready', 'Failed', 'Expired'], {
        doc: 'Where the lock is in its life. Its slots count from `Ready` on.',
        example: 'Ready',
      }).optional(),
      template: foreign({
        doc: 'What `podFrom` said when the lock was planned, as far as it was planned by: no images, no environment. Left out where `spec.template` says it.',
        example: { spec: { containers: [{ resources: { requests: { cpu: '2', memory: '4Gi' } } }] } },
      }).optional(),
      // Atomic, not a map by slot: one writer replaces it whole, and managedFields would take some 90 bytes a slot otherwise.
      slots: list(
        { doc: 'The planned slots. What became of each is said by its pod and its IPLock.', max: MAX_SLOTS },
        object(
          { doc: 'A slot.' },
          {
            slot: integer({
              doc: 'Its number: the annotation `gala.internal/slot` of its pod.',
              noun: 'a slot number',
              min: 0,
              max: MAX_SLOTS - 1,
              example: 0,
            }),
            node: nodeName('The node.', 'bj-a-r12-01', SLOT_NODE),
            address: ipv4('The address, where Gala owns the network.', '10.110.2.37').optional(),
            held: flag({
              doc: 'Its pod has gone: it waits `holdSeconds` for the next one. A slot that never had a pod waits `ttlSeconds`.',
              example: true,
            }).optional(),
          },
        ),
      ).optional(),
      counts: object(
        { doc: 'Slots by what they are.' },
        {
          planned: slots('Slots that were found.'),
          used: slots('Of these, slots with a pod.'),
        },
      ).optional(),
      reasons: list(
        { doc: 'Why it is not more, the largest first.', max: 16, key: 'reason' },
        object(
          { doc: 'A reason.' },
          {
            reason: word('One word, for programs.', 'NoAddress'),
            nodes: integer({ doc: 'Nodes that it holds for.', noun: 'a count of nodes', min: 0, max: 100_000, example: 31 }),
            message: message('For people.').optional(),
          },
        ),
      ).optional(),
      conditions,
    },
  ),
  columns: [
    { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
    { name: 'Count', type: 'integer', jsonPath: '.spec.count' },
    { name: 'Used', type: 'integer', jsonPath: '.status.counts.used' },
    { name: 'Owner', type: 'string', jsonPath: '.spec.owner' },
    { name: 'TTL', type: 'integer', jsonPath: '.spec.ttlSeconds', priority: 1, description: 'Seconds from renewal to expiry' },
  ],
  selectableFields: ['.spec.owner', '.status.phase'],
  checkedElsewhere: {
    'fields inside template':
      'the API server, when a pod is made of it; the lock writer fails the lock on those it plans by and cannot read',
    'podFrom that does not exist': 'the lock writer: phase `Failed`, reason `NoSuchPod`',
    'Locks in a namespace': "the API server's object count quota, `count/locks.gala.internal`; a Lock of 5000 slots counts as one",
    'that `renewedAt` goes forward': 'nobody needs to: any change renews, and the lock writer counts by its own clock',
    'deleting a lock while a slot is Bound': 'a ValidatingAdmissionPolicy',
  },
  example: {
    podFrom: { kind: 'Deployment', name: 'feed-api' },
    count: 200,
    owner: 'feed-api',
    strategy: 'spread',
  },
  moreExamples: {
    'a pod spec of its own, taking what there is': {
      template: {
        spec: { containers: [{ name: 'feed', image: 'harbor.bj.intra/feed/api:1188', resources: { requests: { cpu: '2' } } }] },
      },
      count: 40,
      owner: 'feed-api',
      allowPartial: true,
      ttlSeconds: 900,
    },
  },
});
export type Lock = TypeOf<typeof Lock>;
