/**
 * Concern `scheduling`: the stock kube-scheduler under the name `gala-scheduler`.
 * So far it schedules as upstream does; locks come to it as an extender.
 */
import { defineConcern } from './concern.ts';
import { UpstreamScheduler } from './upstream-scheduler.ts';

export const scheduling = defineConcern({
  name: 'scheduling',
  render(scope) {
    new UpstreamScheduler(scope, 'scheduler', {});
  },
});
