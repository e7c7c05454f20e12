/** Pools of all kinds, most of them right, for properties. */
import fc from 'fast-check';
import type { KubeletProfileProps } from '../../../constructs/kubelet-profile.ts';
import { GiB, MiB } from './a-pool.ts';

const racks = { r13: ['bj-a-r13-01'], r12: ['bj-a-r12-02', 'bj-a-r12-01'] };

/** Mostly `right`, for pools to be wrong in one or two things rather than in all. */
const mostly = <T>(right: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: fc.constantFrom(right, ...others) });

/** Right and wrong pools alike. */
export const anyPool: fc.Arbitrary<KubeletProfileProps> = fc
  .record(
    {
      kubernetes: fc.constantFrom('1.35', '1.36', '1.37'),
      cluster: fc.constant('bj-a'),
      pool: fc.constantFrom('web', 'ml-a'),
      shape: fc.constantFrom('intranet', 'ec2'),
      services: fc.constantFrom('none', 'kube-proxy'),
      maxPods: fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 1, max: 300 }) }, { weight: 1, arbitrary: fc.constantFrom(0, -1) }),
      racks: fc.constantFrom({}, racks),
      wiredBy: fc.constantFrom('gala', 'others'),
      locks: fc.constantFrom('enforced', 'unenforced'),
      datacenter: fc.constant('bj-a'),
      machine: fc.record(
        {
          cpu: mostly(64, 1, 2),
          memoryBytes: mostly(256 * GiB, GiB, 8 * GiB, 64 * GiB),
          swapBytes: mostly(8 * GiB, 0, 64, 64 * GiB),
          reserved: fc.record({
            cpu: mostly(1, 0, 0.5, 2, 64),
            memoryBytes: mostly(GiB, 0, 256 * MiB, 64 * GiB),
          }),
        },
        { requiredKeys: ['cpu', 'memoryBytes'] },
      ),
      swap: mostly('none', 'limited'),
      swapOn: fc.constantFrom('file', 'zram'),
      labels: fc.dictionary(mostly('team', 'gala.internal/pool', 'kubernetes.io/x', 'a b'), mostly('web', '', 'x,y')),
      taints: fc.array(fc.record({ key: fc.constantFrom('a', 'gala.internal/pool'), effect: fc.constantFrom('NoSchedule', 'NoExecute') }), {
        maxLength: 2,
      }),
      kubelet: fc.record(
        {
          containerLogMaxFiles: mostly(3, 2),
          imageGCHighThresholdPercent: mostly(90, 1, 50, 100),
          imageGCLowThresholdPercent: mostly(70, 0, 85, 90, 99),
          maxParallelImagePulls: mostly(3, 1),
          shutdownGracePeriodSeconds: mostly(90, 0, 10),
          shutdownGracePeriodCriticalPodsSeconds: mostly(10, 0, 61, 91),
          maxContainerRestartPeriodSeconds: mostly(60, 1, 300),
          evictionHard: fc.constantFrom({}, { 'memory.available': '1Gi' }, { 'memory.available': '5%' }, { 'pid.available': '10%' }),
          evictionSoft: mostly({ 'nodefs.available': '15%' }, {}, { 'memory.available': '1500Mi' }),
          cpuManagerPolicy: mostly('static', 'none'),
          fullPcpusOnly: mostly(false, true),
          reservedSystemCPUs: mostly('0', '0-1', '0-', '64'),
          memoryManagerPolicy: mostly('None', 'Static'),
          reservedMemory: mostly([{ numaNode: 0, memoryBytes: 3 * GiB }], [], [{ numaNode: 0, memoryBytes: 2 * GiB }]),
          topologyManagerPolicy: fc.constantFrom('none', 'restricted'),
        },
        { requiredKeys: [] },
      ),
      join: fc.oneof(mostly<object>({ eks: 'cloud-a' }, {}), fc.constant({ bootstrap: true })),
      apiServer: fc.constant('https://10.8.0.10:6443'),
    },
    { requiredKeys: ['kubernetes', 'cluster', 'pool', 'shape', 'services', 'maxPods'] },
  )
  .map((pool) => pool as KubeletProfileProps);
