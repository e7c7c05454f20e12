/**
 * Concern `scheduling`: the stock kube-scheduler under the name `gala-scheduler`.
 * So far it schedules as upstream does; locks come to it as an extender.
 */
import { integer } from '../lib/api/field.ts';
import { defineConcern } from './concern.ts';
import { UpstreamScheduler } from './upstream-scheduler.ts';

export const scheduling = defineConcern({
  name: 'scheduling',
  options: {
    replicas: integer({
      doc: 'How many schedulers run, each on a control-plane node or one labelled `gala.internal/system` of its own; one leads.',
      noun: 'the number of schedulers',
      min: 1,
      max: 5,
      default: 2,
      remedy: 'One where a single node can run it, else two; more only wait.',
      example: 1,
    }),
  },
  render(scope, { replicas }) {
    new UpstreamScheduler(scope, 'scheduler', { replicas });
  },
});
