/** Concern `cloud`: pod ENIs of ec2 pools. Where Gala gives no pod an ENI it renders nothing. */
import { integer, oneOf } from '../lib/api/field.ts';
import { CloudController, hasEnis } from './cloud/cloud-controller.ts';
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
  // Its program makes ENIs and launches no instances yet.
  optIn: true,
  options,
  check(_, cluster, problem) {
    if (!hasEnis(cluster))
      problem('', 'cloud is installed, and there is no ec2 pool whose pods Gala wires', {
        path: 'concerns',
        allowed: 'an ec2 pool that no other CNI wires',
        remedy: 'Leave cloud out of concerns, or give such a pool.',
        severity: 'warning',
      });
  },
  render(scope, options, cluster) {
    if (hasEnis(cluster)) new CloudController(scope, 'cloud', options);
  },
});
