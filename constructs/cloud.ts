/** Concern `cloud`: instances of ec2 pools and their pod ENIs. Where Gala launches nothing and gives no pod an ENI it renders nothing. */
import { integer, oneOf } from '../lib/api/field.ts';
import { CloudController, hasEnis } from './cloud/cloud-controller.ts';
import { managesInstances } from './cloud/instances.ts';
import { defineConcern } from './concern.ts';

const options = {
  mode: oneOf(['manage', 'dry-run'], {
    doc: '`dry-run`: `gala cloud` looks, and tells in its log the steps it would take. `manage` when left out.',
    example: 'dry-run',
  }).optional(),
  orphans: oneOf(['delete', 'list'], {
    doc: 'What becomes of ENIs that nobody will use: `list` counts them only. `delete` when left out.',
    example: 'list',
  }).optional(),
  instances: oneOf(['manage', 'leave'], {
    doc: 'Whether it launches, drains and ends instances of ec2 pools, or leaves them to others. When left out: `manage`, and `leave` where `existing.nodes` names who does it.',
    example: 'leave',
  }).optional(),
  ec2Percent: integer({
    doc: "Percent of EC2's token buckets that it spends at most, for other programs of the account have the same ones. 60 when left out.",
    noun: 'ec2Percent',
    min: 1,
    max: 100,
    example: 30,
  }).optional(),
};

export const cloud = defineConcern({
  name: 'cloud',
  // Nobody else has a NodeNetwork to fill in, nor an address to give from it.
  requires: ['scheduling', 'network'],
  // What it does costs money: nobody gets it unasked.
  optIn: true,
  options,
  check(_, cluster, problem) {
    if (!hasWork(cluster))
      problem('', 'cloud is installed, and there is no ec2 pool whose instances it launches or whose pods Gala wires', {
        path: 'concerns',
        allowed: 'an ec2 pool that nobody else launches, or that no other CNI wires',
        remedy: 'Leave cloud out of concerns, or give such a pool.',
        severity: 'warning',
      });
  },
  render(scope, options, cluster) {
    if (hasWork(cluster)) new CloudController(scope, 'cloud', options);
  },
});

const hasWork = (cluster: Parameters<typeof managesInstances>[0]): boolean => hasEnis(cluster) || managesInstances(cluster);
