import { expect, test } from '@jest/globals';
import { NodeAgent } from '../../constructs/node-agent.ts';
import { nameOf } from '../../lib/api/manifest.ts';
import { aCluster, rendered } from './a-cluster.ts';

test('gala-system lets agents onto the host without a warning, audits what is beyond restricted, and says why', () => {
  const { labels, annotations } = rendered(aCluster({ kubernetes: '1.36' })).get('Namespace/gala-system').metadata;
  expect(labels).toMatchObject({
    'pod-security.kubernetes.io/enforce': 'privileged',
    'pod-security.kubernetes.io/warn': 'privileged',
    'pod-security.kubernetes.io/audit': 'restricted',
    'pod-security.kubernetes.io/audit-version': 'v1.36',
  });
  expect(annotations['because.gala.internal/pod-security']).toMatch(/host's network/);
});

test('the namespace comes before everything that lies in it', () => {
  const { objects, fileOf } = rendered(aCluster(), (scope) => {
    new NodeAgent(scope, 'guard', { image: 'guard:1', memory: '64Mi' });
  });
  const first = objects.findIndex(({ metadata }) => metadata.namespace === 'gala-system');
  expect(nameOf(objects[first]!)).toBe('ServiceAccount/gala-system/guard');
  expect(objects.findIndex((object) => nameOf(object) === 'Namespace/gala-system')).toBeLessThan(first);
  expect(fileOf('Namespace/gala-system')).toBe(fileOf('ServiceAccount/gala-system/guard'));
});
