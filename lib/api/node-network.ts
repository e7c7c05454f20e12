/**
 * NodeNetwork: what one node has of the network. Made by `gala controller` when it first sees the node; `gala cloud` fills
 * the ENI slots, the CNI agent of the node reports in status.
 */
import { integer, list, object, text } from './field.ts';
import { ec2Id, ipv4, mac, nodeName, timestamp, uid, vlanId } from './fields.ts';
import * as pool from './pool.ts';
import type { TypeOf } from './resource.ts';
import { conditions, observedGeneration, resource } from './resource.ts';

const eniSlot = object(
  {
    doc: 'A pod ENI of the instance.',
    rules: [
      {
        rule: 'self.networkCardIndex > 0 || self.deviceIndex > 0',
        message: "device 0 of network card 0 is the instance's own interface and no slot. Give the indexes that EC2 attached the ENI at",
        fieldPath: '.deviceIndex',
      },
    ],
  },
  {
    // Instance types with several network cards repeat device indexes on each of them (EC2 User Guide, "Network cards").
    networkCardIndex: integer({
      doc: "EC2's network card index; most instance types have card 0 only.",
      noun: 'a network card index',
      min: 0,
      max: 127,
      default: 0,
      example: 0,
    }),
    deviceIndex: integer({
      doc: "EC2's device index on that card.",
      noun: 'a device index',
      min: 0,
      max: 127,
      example: 1,
    }),
    eniId: ec2Id('eni', 'The interface.'),
    mac: mac('Its MAC address: how the agent finds the link.'),
    ip: ipv4('Its primary address: the one a pod gets.', '10.16.4.21'),
    subnetId: ec2Id('subnet', 'The subnet it lies in.'),
  },
);

const sameMachine = (field: string) => ({
  rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
  message: `${field} is immutable: a new machine under an old name is a new owner. Delete this object; \`gala controller\` makes the new one`,
  fieldPath: `.${field}`,
});

export const NodeNetwork = resource('NodeNetwork', {
  doc: "A node's part of the network: which machine it is, its trunk, its ENI slots, what is up.",
  scope: 'Cluster',
  plural: 'nodenetworks',
  shortNames: ['nn'],
  name: nodeName('Name of the Node.'),
  spec: object(
    {
      doc: 'Which machine it is and what it is given.',
      rules: [
        {
          rule: 'has(self.machineID) != has(self.providerID)',
          message: 'either machineID (intranet) or providerID (EC2) must be given, and not both',
        },
        sameMachine('machineID'),
        sameMachine('providerID'),
        {
          rule: '!has(self.eniSlots) || has(self.providerID)',
          message: 'eniSlots are for EC2 instances: give providerID',
          fieldPath: '.eniSlots',
        },
      ],
    },
    {
      machineID: text({
        doc: 'A racked host: what its Node says in `status.nodeInfo.machineID`.',
        min: 1,
        max: 64,
        pattern: /^[0-9a-fA-F-]+$/,
        noun: 'a machine id: hexadecimal digits and -',
        example: '9f2c7a41d0e84d1bb1d7d9b6a1f0c3e5',
      }).optional(),
      providerID: text({
        doc: 'An EC2 instance: what its Node says in `spec.providerID`.',
        min: 1,
        max: 128,
        pattern: /^aws:\/\/\/[a-z0-9-]+\/i-[0-9a-f]+$/,
        noun: 'a provider ID such as aws:///ap-northeast-1a/i-0123456789abcdef0',
        example: 'aws:///ap-northeast-1a/i-0123456789abcdef0',
      }).optional(),
      pool: pool.poolName,
      trunk: pool.trunk.optional(),
      eniSlots: list(
        { doc: 'Pod ENIs by network card and device index.', max: 127, key: ['networkCardIndex', 'deviceIndex'] },
        eniSlot,
      ).optional(),
    },
  ),
  status: object(
    { doc: 'What the agent saw on the node.' },
    {
      observedGeneration,
      vlansUp: list({ doc: 'VLANs whose sub-interface is up.', max: 256, set: true }, vlanId).optional(),
      macsInUse: integer({
        doc: "MAC addresses that the node's switch port shows now, the host's own included; at most `macsPerPort`.",
        noun: 'a count of MAC addresses',
        min: 0,
        max: 65_536,
        example: 41,
      }).optional(),
      conflicts: list(
        { doc: 'Addresses that another machine answers for.', max: 64, key: 'ip' },
        object(
          { doc: 'A conflict.' },
          {
            ip: ipv4('The address.', '10.110.2.37'),
            mac: mac('Who answered.', '3c:fd:fe:11:22:33'),
            seen: timestamp('When it last answered.'),
          },
        ),
      ).optional(),
      wired: list(
        {
          doc: 'Addresses that a pod of the node has, and whose IPLock is missing or names another: nobody is given them.',
          max: 512,
          key: 'ip',
        },
        object(
          { doc: 'What is wired.' },
          {
            ip: ipv4('The address.', '10.110.2.37'),
            mac: mac('MAC address of the link that has it.'),
            pod: text({
              doc: 'Namespace and name of the pod.',
              min: 3,
              max: 317,
              pattern: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
              noun: '<namespace>/<name>',
              example: 'feed/feed-api-7d9c5-x2x4z',
            }),
            podUID: uid('UID of the pod.'),
          },
        ),
      ).optional(),
      rebuilt: text({
        doc: 'The rebuild that `wired` answers: what `gala ips rebuild` wrote into the annotation `gala.internal/rebuild`.',
        min: 1,
        max: 64,
        noun: 'the name of a rebuild',
        example: '2026-11-27T03:10:00.000Z',
      }).optional(),
      conditions,
    },
  ),
  columns: [
    { name: 'Pool', type: 'string', jsonPath: '.spec.pool' },
    { name: 'MACs', type: 'integer', jsonPath: '.status.macsInUse' },
    { name: 'VLANs', type: 'string', jsonPath: '.status.vlansUp' },
    { name: 'Machine', type: 'string', jsonPath: '.spec.machineID', priority: 1 },
    { name: 'Provider', type: 'string', jsonPath: '.spec.providerID', priority: 1 },
  ],
  selectableFields: ['.spec.pool'],
  checkedElsewhere: {
    'a name that is no Node': '`gala controller` makes and deletes NodeNetworks with their Nodes',
    'a pool that does not exist': '`gala controller`, from the label `gala.internal/pool` of the Node',
    'an ENI, MAC or address that stands on two nodes': '`gala cloud`, from what EC2 answers',
  },
  example: { machineID: '9f2c7a41d0e84d1bb1d7d9b6a1f0c3e5', pool: 'web', trunk: 'bond0' },
  moreExamples: {
    'an EC2 instance with one pod ENI': {
      providerID: 'aws:///ap-northeast-1a/i-0123456789abcdef0',
      pool: 'burst',
      eniSlots: [{ deviceIndex: 1, eniId: 'eni-0a1', mac: '06:3f:aa:00:00:01', ip: '10.16.4.21', subnetId: 'subnet-0d1' }],
    },
  },
});
export type NodeNetwork = TypeOf<typeof NodeNetwork>;
