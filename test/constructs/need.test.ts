import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CAPABILITIES, type Need } from '../../constructs/need.ts';
import { NodeAgent } from '../../constructs/node-agent.ts';
import { gate } from '../../lib/gate/gate.ts';
import { podOf } from '../../lib/gate/pod.ts';
import { privilegesOf } from '../../lib/gate/rules/privileges.ts';
import { aCluster, rendered } from './a-cluster.ts';

const cluster = aCluster();
const because = fc.stringMatching(/^[a-z]{2,8}( [a-z]{1,8}){1,4}$/);
const path = fc.stringMatching(/^(\/[a-z][a-z0-9.]{0,6}){1,4}$/);
const need: fc.Arbitrary<Need> = fc.oneof(
  fc.record({ capability: fc.constantFrom(...CAPABILITIES), because }),
  fc.record({ hostNetwork: fc.constant(true as const), because }),
  fc.record({ hostPid: fc.constant(true as const), because }),
  fc.record({ root: fc.constant(true as const), because }),
  fc.record({ hostPath: path, readOnly: fc.boolean(), because }),
  // Not those that a node itself uses.
  fc.record({ hostPort: fc.integer({ min: 12000, max: 65535 }), because }),
);
const privileged = fc.record({ privileged: fc.constant(true as const), because });

/** Needs that a person could mean: each privilege once, no capability beside privileged, no two mounts that share a volume's name. */
const needs = fc
  .tuple(fc.uniqueArray(need, { maxLength: 8, selector: kindAndName }), fc.option(privileged, { freq: 4 }))
  .map(([some, all]) => (all === null ? some : [...some.filter((one) => !('capability' in one)), all]));

function kindAndName(need: Need): string {
  if ('hostPath' in need) return `path ${need.hostPath.replace(/[^a-z0-9]+/g, '-')}`;
  if ('hostPort' in need) return `port ${need.hostPort}`;
  return 'capability' in need
    ? need.capability
    : Object.keys(need)
        .filter((key) => key !== 'because')
        .join();
}

/** What the pod may do beyond its own containers, read off the finished pod. */
function privilegesIn(object: Parameters<typeof podOf>[0]): string[] {
  const pod = podOf(object)!;
  const ports = pod.containers.flatMap(({ spec }) => (spec.ports as { hostPort: number }[] | undefined) ?? []);
  return [...privilegesOf(pod).map(({ privilege }) => privilege), ...ports.map(({ hostPort }) => `host-port.${hostPort}`)].toSorted();
}

test('every privilege of the pod has its reason, and every reason is of a privilege that the pod has', () => {
  fc.assert(
    fc.property(needs, (given) => {
      const out = rendered(cluster, (scope) => {
        new NodeAgent(scope, 'guard', { image: 'guard:1', memory: '64Mi', needs: given });
      });
      const daemonSet = out.get('DaemonSet/gala-system/guard');
      const annotations: Record<string, string> = daemonSet.spec.template.metadata.annotations;
      const reasons = Object.keys(annotations).map((key) => key.replace('because.gala.internal/', ''));
      // Root is no field of its own that the gate looks at: it follows from the needs.
      expect(reasons.filter((reason) => reason !== 'root').toSorted()).toEqual(privilegesIn(daemonSet));
      const root = given.some(
        (one) => 'root' in one || 'capability' in one || 'privileged' in one || ('readOnly' in one && one.readOnly === false),
      );
      expect(daemonSet.spec.template.spec.securityContext.runAsUser === 0).toBe(root);
      for (const one of given) expect(Object.values(annotations)).toContain(one.because);
      const inputs = out.objects.map((object) => ({ file: 'dist/test-a', object }));
      expect(gate(inputs, { services: 'none', kubernetes: '1.37' })).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('the key of every reason is one that the API server takes', () => {
  fc.assert(
    fc.property(need, (one) => {
      const out = rendered(cluster, (scope) => {
        new NodeAgent(scope, 'guard', { image: 'guard:1', memory: '64Mi', needs: [one] });
      });
      for (const key of Object.keys(out.get('DaemonSet/gala-system/guard').spec.template.metadata.annotations))
        expect(key).toMatch(/^because\.gala\.internal\/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
    }),
    { numRuns: 30 },
  );
});
