/**
 * Priority classes for the pods that Gala places. They never preempt: the scheduler's dry run of a preemption asks no
 * extender, so it would kill pods for a node on which no address is free. Priority still orders the queue and decides who
 * goes first when a node runs short. Values are far below the system classes (2000000000) and leave room between.
 */
import type { V1PriorityClass } from '@kubernetes/client-node';
import type { Construct } from 'constructs';
import type { Manifest } from '../lib/api/manifest.ts';
import { add } from './platform.ts';

export const PRIORITY_CLASSES = {
  'gala-service': { value: 100000, description: 'Pods of services on capacity of their own.' },
  'gala-borrowed': {
    value: 10000,
    description: 'Pods on borrowed capacity: the first to go when the lender wants it back or a node runs short.',
  },
} as const;

export function addPriorityClasses(scope: Construct): void {
  for (const [name, { value, description }] of Object.entries(PRIORITY_CLASSES))
    add(scope, 'rbac', {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value,
      description,
      preemptionPolicy: 'Never',
    } satisfies Manifest<V1PriorityClass>);
}
