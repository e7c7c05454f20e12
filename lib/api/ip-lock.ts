/**
 * IPLock: one taken address. Creating it is the hard mutex (AlreadyExists means busy), deleting it means free.
 *
 * There is no status subresource: two programs decide by this object, each in one write (the lock writer assigns a pod and
 * its phase, the CNI agent binds), and two endpoints would make two writes of each. Hence `phase` is a claim, not a report,
 * and stands in spec; `status` has only what was found out (`Probed`), written through the same endpoint.
 *
 *     (none) ──→ Locked ──→ Bound ──→ Held ──→ Locked …      Quarantined is left by deletion only
 *                   └─────────┴─────────┴──→ Quarantined
 */
import { object, oneOf } from './field.ts';
import { dnsLabel, ipv4, mac, nodeName, owner, uid } from './fields.ts';
import type { TypeOf } from './resource.ts';
import { conditions, resource } from './resource.ts';

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
          // Both sides Bound: leaving the phase is the other rule's business.
          rule: "oldSelf.phase != 'Bound' || self.phase != 'Bound' || (has(self.podUID) && self.podUID == oldSelf.podUID)",
          message: 'podUID is immutable while Bound. First Held, then Locked for the next pod',
          fieldPath: '.podUID',
        },
        {
          rule: "oldSelf.phase != 'Bound' || self.node == oldSelf.node",
          message: 'node is immutable while Bound: a pod is wired there. First Held, then Locked on the other node',
          fieldPath: '.node',
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
      phase: oneOf(['Locked', 'Bound', 'Held', 'Quarantined'], {
        doc: '`Locked`: for a pod to come. `Bound`: wired in a pod. `Held`: for the next pod of its owner. `Quarantined`: somebody else answers for it.',
        example: 'Bound',
      }),
      node: nodeName('The node it is locked on, or was last bound on.'),
      mac: mac('MAC address of the link that has it; derived from the address on VLANs, that of the ENI on EC2.'),
      lock: object(
        { doc: 'The Lock it belongs to; a loose pod has none.' },
        { namespace: dnsLabel('Namespace of the Lock.', 'feed'), name: dnsLabel('Name of the Lock.', 'feed-api-1188') },
      ).optional(),
      owner: owner("Who it is for: the Lock's owner, or the loose pod's namespace and name."),
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
  // Field selectors on custom resources are stable since Kubernetes 1.32 (KEP-4358): an agent watches its own node's only.
  selectableFields: ['.spec.node'],
  checkedElsewhere: {
    'an address that lies in no VLAN and belongs to no ENI': 'the lock writer, the only one that creates IPLocks',
    'a node, Lock or pod that does not exist': 'the lock writer; `gala leaks` lists them',
    'who may bind, hold and delete': 'ValidatingAdmissionPolicies: an agent writes the IPLocks of its own node, the writer alone deletes',
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
