import { expect, test } from '@jest/globals';
import { rendered } from 'cdk8s-gala/testing';
import { ddos } from './ddos.ts';
import edge from './edge.ts';

const out = rendered(edge, { concerns: [ddos] }); // throws all problems and all findings

test('nothing is privileged but what we signed off', () => {
  expect(out.privileged.map(({ name }) => name)).toEqual(['ddos-web', 'gala-cni']);
});
test('every flood is dropped', () => {
  expect(out.object('DaemonSet/gala-system/ddos-web')).toMatchObject({
    spec: { template: { spec: { containers: [{ args: ['--mode=drop'] }] } } },
  });
});
