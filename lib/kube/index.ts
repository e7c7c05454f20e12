/**
 * The runtime kit every program stands on: client, reflector, work queue, controller, lease election, events, health,
 * metrics, graceful stop. It knows Kubernetes and no concern of Gala's.
 */
export * from './account.ts';
export * from './backoff.ts';
export * from './client.ts';
export * from './clock.ts';
export * from './controller.ts';
export * from './election.ts';
export * from './error.ts';
export * from './events.ts';
export * from './health.ts';
export * from './kinds.ts';
export * from './log.ts';
export * from './metrics.ts';
export * from './program.ts';
export * from './queue.ts';
export * from './reflector.ts';
export * from './retry.ts';
