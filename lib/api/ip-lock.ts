/**
 * IPLock: one taken address. Creating it is the hard mutex (AlreadyExists means busy), deleting it means free.
 *
 * There is no status subresource: two programs decide by this object, each in one write (the lock writer assigns a pod and
 * its phase, the CNI agent binds), and two endpoints would make two writes of each. Hence `phase` is a claim, not a report,
 * and stands in spec; `status` has only what was found out (`Probed`), written through the same endpoint.
 *
 *     (none) ──→ Locked ──→ Bound ──→ Held ──→ Locked …      Quarantined is left by deletion only
 *                   └─────────┴─────────┴──→ Quarantined
 *
 * The address changes hands at one place only: from Held to Locked. Everywhere else pod and Lock stay what they were, and, but while it
 * is Held, the node,
 * so an agent that read the object a moment ago wires for the pod it says, or its write is refused.
 */
import { object, oneOf, text } from './field.ts';
import { dnsLabel, ipv4, mac, nodeName, SUBDOMAIN, uid } from './fields.ts';
import type { TypeOf } from './resource.ts';
import { conditions, resource } from './resource.ts';

/** A namespace and a name of at most 63 and 253 characters. The first part is an RFC 1123 label, the second a subdomain. */
const OWNER = new RegExp(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/${SUBDOMAIN.source.slice(1)}`);

export const PHASES = ['Locked', 'Bound', 'Held', 'Quarantined'] as const;
type Phase = (typeof PHASES)[number];

/** What may become of a field: `same`: it stays, or stays left out · `once`: it may be given where it was left out, else `same`. */
export type May = 'same' | 'once' | 'any' | 'left out' | 'same or left out';

/** Every way a phase may go, what may become of the fields on it, and whose write it is. A pair that is missing is refused. */
export const TRANSITIONS: readonly {
  readonly from: Phase;
  readonly to: Phase;
  readonly node: May;
  readonly podUID: May;
  readonly lock: May;
  readonly by: string;
}[] = [
  { from: 'Locked', to: 'Locked', node: 'same', podUID: 'once', lock: 'same', by: 'lock writer: assigns the pod' },
  { from: 'Locked', to: 'Bound', node: 'same', podUID: 'same', lock: 'same', by: 'CNI agent of the node: the assigned pod is wired' },
  { from: 'Locked', to: 'Held', node: 'same', podUID: 'left out', lock: 'same or left out', by: 'lock writer: the pod did not come' },
  { from: 'Locked', to: 'Quarantined', node: 'same', podUID: 'same', lock: 'same', by: 'lock writer: somebody else answers' },
  { from: 'Bound', to: 'Bound', node: 'same', podUID: 'same', lock: 'same', by: 'CNI agent of the node: conditions' },
  { from: 'Bound', to: 'Held', node: 'same', podUID: 'left out', lock: 'same or left out', by: 'lock writer: the pod is gone' },
  { from: 'Bound', to: 'Quarantined', node: 'same', podUID: 'same', lock: 'same', by: 'lock writer: somebody else answers' },
  {
    from: 'Held',
    to: 'Held',
    node: 'any',
    podUID: 'left out',
    lock: 'same or left out',
    by: 'lock writer: the Lock is gone, its slot has moved',
  },
  { from: 'Held', to: 'Locked', node: 'any', podUID: 'any', lock: 'any', by: "lock writer: the owner's next pod" },
  { from: 'Held', to: 'Quarantined', node: 'same', podUID: 'same', lock: 'same', by: 'lock writer: somebody else answers' },
  { from: 'Quarantined', to: 'Quarantined', node: 'same', podUID: 'same', lock: 'same', by: 'lock writer: conditions' },
];

const CHANGES_HANDS = "oldSelf.phase == 'Held' && self.phase == 'Locked'";
const same = (field: string) => `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`;

export const IPLock = resource('IPLock', {
  doc: 'One taken address: who has it, on which node, since which pod. Exists while the address is taken; deleted means free.',
  scope: 'Cluster',
  plural: 'iplocks',
  shortNames: ['ipl'],
  name: ipv4('The address. Its IPv6 twin (prefix and embedded IPv4) is the same object.', '10.110.2.37'),
  spec: object(
    {
      doc: 'Who has it.',
      rules: [
        {
          // Held is left out on create: what waits for an owner's next pod has had one.
          rule: "oldSelf.hasValue() || self.phase != 'Held'",
          message: 'a new IPLock is Locked, Quarantined, or Bound (rebuilt from the journal of an agent)',
          optionalOldSelf: true,
          fieldPath: '.phase',
        },
        {
          rule: "self.phase == oldSelf.phase || (oldSelf.phase == 'Locked' && self.phase in ['Bound', 'Held', 'Quarantined']) || (oldSelf.phase == 'Bound' && self.phase in ['Held', 'Quarantined']) || (oldSelf.phase == 'Held' && self.phase in ['Locked', 'Quarantined'])",
          message: 'phase goes Locked → Bound → Held → Locked; from each to Quarantined, which is left by deletion only',
          messageExpression:
            "'phase %s does not become %s: it goes Locked → Bound → Held → Locked, from each to Quarantined, which is left by deletion only'.format([oldSelf.phase, self.phase])",
          fieldPath: '.phase',
        },
        {
          rule: "self.phase != 'Bound' || has(self.podUID)",
          message: 'a Bound address names its pod: give podUID',
          fieldPath: '.podUID',
        },
        {
          rule: "self.phase != 'Held' || !has(self.podUID)",
          message: "a Held address waits for its owner's next pod: leave podUID out",
          fieldPath: '.podUID',
        },
        {
          rule: `self.phase == 'Held' || (${CHANGES_HANDS}) || (oldSelf.phase == 'Locked' && self.phase == 'Locked' && !has(oldSelf.podUID)) || (${same('podUID')})`,
          message:
            'podUID is given once while Locked and stays until Held: the pod may be wired already. First Held, then Locked for the next pod',
          fieldPath: '.podUID',
        },
        {
          rule: "(oldSelf.phase == 'Held' && self.phase in ['Held', 'Locked']) || self.node == oldSelf.node",
          message: 'node changes while Held, and from Held to Locked: else a pod may be wired there. First Held, then the other node',
          fieldPath: '.node',
        },
        {
          rule: `(${CHANGES_HANDS}) || (self.phase == 'Held' && !has(self.lock)) || (${same('lock')})`,
          message: 'lock changes from Held to Locked only, and may be left out while Held. First Held, then Locked for the next Lock',
          fieldPath: '.lock',
        },
        {
          rule: "!has(self.lock) || self.owner.split('/')[0] == self.lock.namespace",
          message: "owner must lie in the namespace of lock: a Lock's owner is a name in its own namespace",
          messageExpression:
            "'owner %s must lie in the namespace of lock, %s: the owner of a Lock is a name in its own namespace'.format([self.owner, self.lock.namespace])",
          fieldPath: '.owner',
        },
        {
          rule: 'self.owner == oldSelf.owner',
          message: 'owner is immutable: another owner takes the address by deleting this object and creating its own',
          fieldPath: '.owner',
        },
        {
          rule: 'self.mac == oldSelf.mac',
          message: "mac is immutable: the neighbours' ARP entries say it",
          fieldPath: '.mac',
        },
      ],
    },
    {
      phase: oneOf(PHASES, {
        doc: '`Locked`: for a pod to come. `Bound`: wired in a pod. `Held`: for the next pod of its owner. `Quarantined`: somebody else answers for it.',
        example: 'Bound',
      }),
      node: nodeName('The node it is locked on, or was last bound on.'),
      mac: mac('MAC address of the link that has it; derived from the address on VLANs, that of the ENI on EC2.'),
      lock: object(
        { doc: 'The Lock it belongs to; a loose pod has none.' },
        { namespace: dnsLabel('Namespace of the Lock.', 'feed'), name: dnsLabel('Name of the Lock.', 'feed-api-1188') },
      ).optional(),
      owner: text({
        doc: "Who it is for, with the namespace: the Lock's namespace and owner, or the loose pod's namespace and name.",
        min: 3,
        max: 317,
        pattern: OWNER,
        noun: '<namespace>/<name>',
        example: 'feed/feed-api',
      }),
      podUID: uid('The pod it is assigned to (`Locked`) or wired in (`Bound`).').optional(),
    },
  ),
  status: object({ doc: 'What was found out.' }, { conditions }),
  statusSubresource: false,
  columns: [
    { name: 'Phase', type: 'string', jsonPath: '.spec.phase' },
    { name: 'Node', type: 'string', jsonPath: '.spec.node' },
    { name: 'Owner', type: 'string', jsonPath: '.spec.owner' },
    { name: 'Lock', type: 'string', jsonPath: '.spec.lock.name', priority: 1 },
    { name: 'MAC', type: 'string', jsonPath: '.spec.mac', priority: 1 },
    { name: 'Pod', type: 'string', jsonPath: '.spec.podUID', priority: 1 },
  ],
  // Field selectors on custom resources are stable since Kubernetes 1.32 (KEP-4358): an agent watches its own node's only, and asks
  // for that of a pod where the watch may be late.
  selectableFields: ['.spec.node', '.spec.podUID'],
  checkedElsewhere: {
    'an address that lies in no VLAN and belongs to no ENI': 'the lock writer, the only one that creates IPLocks',
    'a node, Lock or pod that does not exist': 'the lock writer',
    'who writes which transition, and who deletes':
      'ValidatingAdmissionPolicies: an agent binds the IPLocks of its own node, the lock writer does the rest and alone deletes',
    'deleting and creating anew, which no rule sees as a change': 'the same policies: the lock writer alone does either',
  },
  sections: {
    'What may change': whatMayChange(),
  },
  example: {
    phase: 'Bound',
    node: 'bj-a-r12-01',
    mac: '02:67:0a:6e:02:25',
    lock: { namespace: 'feed', name: 'feed-api-1188' },
    owner: 'feed/feed-api',
    podUID: '0f8fad5b-d9cb-469f-a165-70867728950e',
  },
});
export type IPLock = TypeOf<typeof IPLock>;

function whatMayChange(): string {
  return [
    '`once`: may be given where it was left out, and then stays. A way that is missing is refused. `mac` and `owner` never change;',
    '`status` may at any time. A new IPLock is Locked, Quarantined, or Bound (rebuilt from the journal of an agent).',
    '',
    '| phase goes | `node` | `podUID` | `lock` | whose write |',
    '| --- | --- | --- | --- | --- |',
    ...TRANSITIONS.map(({ from, to, node, podUID, lock, by }) => `| ${from} → ${to} | ${node} | ${podUID} | ${lock} | ${by} |`),
  ].join('\n');
}
