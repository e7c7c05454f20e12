/** Host files as the kubelet itself reads them: every minor's types decode them, and a real kubelet goes on to start. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { type KubeletOptions, type KubeletProfileProps, kubeletProfile } from '../../constructs/kubelet-profile.ts';
import { MINORS } from '../../lib/api/pool.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { kubeletReads, kubeletValidates } from '../bed/kubelet.ts';
import { strictlyDecode } from '../bed/strict.ts';
import { anEc2Pool, aPool, GiB } from './host-files/a-pool.ts';
import { anyPool } from './host-files/any-pool.ts';

/** A site's own configuration with all that Gala has to win over, and what kubeadm writes. */
const BASE = stringify({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  cgroupDriver: 'systemd',
  clusterDNS: ['10.96.0.10'],
  evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%' },
  kubeReserved: { cpu: '500m', memory: '1Gi' },
  serializeImagePulls: true,
  staticPodPath: '/etc/kubernetes/manifests',
});

/** What nodeadm writes on an EKS node before its own drop-in (awslabs/amazon-eks-ami, nodeadm/internal/kubelet/config.go). */
const NODEADM_BASE = stringify({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  clusterDNS: ['10.100.0.10'],
  evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%', 'nodefs.inodesFree': '5%' },
  kubeReserved: { cpu: '110m', 'ephemeral-storage': '1Gi', memory: '893Mi' },
  kubeReservedCgroup: '/runtime',
  maxPods: 58,
  protectKernelDefaults: true,
  serverTLSBootstrap: true,
  systemReservedCgroup: '/system',
});

/** The drop-ins as they lie on a host of the pool, by name. */
function onHost(props: KubeletProfileProps): Record<string, string> {
  const { files } = kubeletProfile(props);
  const nodeadm = files.find(({ path }) => path === 'user-data/nodeadm.txt');
  if (nodeadm !== undefined) {
    const part = nodeadm.text.split('\n--GALA\n')[1] ?? '';
    return { '40-nodeadm.conf': stringify(parse(part.slice(part.indexOf('\n\n'))).spec.kubelet.config) };
  }
  const dropIns = files.filter(({ path }) => path.includes('/kubelet.conf.d/')).map(({ path, text }) => [path.split('/').at(-1), text]);
  const script = files.find(({ path }) => path === 'user-data/cloud-config.txt')?.text.match(/<<END\n([\s\S]*?)\n\s*END\n/)?.[1];
  const atBoot = script?.replace(/^ +/gm, '').replace('$zone', 'ap-northeast-1a').replace('$id', 'i-0abc');
  return Object.fromEntries([...dropIns, ...(atBoot === undefined ? [] : [['75-gala-instance.conf', atBoot]])]);
}

const pinned: KubeletOptions = {
  cpuManagerPolicy: 'static',
  fullPcpusOnly: true,
  reservedSystemCPUs: '0,32',
  memoryManagerPolicy: 'Static',
  reservedMemory: [
    { numaNode: 0, memoryBytes: 5 * GiB },
    { numaNode: 1, memoryBytes: 5 * GiB },
  ],
  topologyManagerPolicy: 'single-numa-node',
  topologyManagerScope: 'pod',
  clusterDNS: ['10.96.0.10'],
  imageMaximumGCAgeHours: 168,
  maxContainerRestartPeriodSeconds: 60,
  evictionHard: { 'pid.available': '5%' },
  evictionSoft: { 'nodefs.available': '15%' },
};
const swapping = { cpu: 64, memoryBytes: 256 * GiB, swapBytes: 64 * GiB, reserved: { cpu: 2, memoryBytes: 8 * GiB } };
const taints = [{ key: 'gala.internal/pool', value: 'web', effect: 'NoSchedule' }] as const;

const POOLS: readonly (readonly [string, KubeletProfileProps])[] = [
  ['racked, as defaults have it', aPool({ taints })],
  ['racked, wired by another CNI', aPool({ maxPods: undefined })],
  ['racked, wired and locked by Gala', aPool({ wiredBy: 'gala', locks: 'enforced' })],
  ['racked, every option set', aPool({ taints, machine: swapping, kubelet: pinned })],
  ['of an unknown machine', aPool({ machine: undefined, services: 'kube-proxy' })],
  ['launched with a bootstrap token', anEc2Pool({ machine: swapping })],
  ['launched into EKS', anEc2Pool({ services: 'kube-proxy', join: { eks: 'cloud-a' }, taints })],
];

describeBed('host files by the types of each minor', ['kubelet-types'], () => {
  describe.each(MINORS)('Kubernetes %s', (kubernetes) => {
    test.each(POOLS)('a host %s', async (_, pool) => {
      const dropIns = onHost({ ...pool, kubernetes });
      expect(Object.keys(dropIns).length).toBeGreaterThan(0);
      expect(await strictlyDecode(kubernetes, Object.values(dropIns).join('\n---\n'))).toEqual([]);
    });
  });

  test('the types would say so if a field were wrong', async () => {
    const [text = ''] = Object.values(onHost(aPool()));
    expect(await strictlyDecode('1.37', `${text}maxPod: 9\n`)).toEqual([expect.stringContaining('maxPod')]);
  });
});

describeBed('host files on a real kubelet', ['kubelet'], () => {
  test.each(POOLS)('a host %s would start', async (_, pool) => {
    expect(await kubeletValidates(pool.join?.eks === undefined ? BASE : NODEADM_BASE, onHost(pool))).toEqual([]);
  });

  test("what takes effect is the pool's, whatever the host was configured with before", async () => {
    const effective = parse((await kubeletReads(BASE, onHost(aPool({ machine: swapping, wiredBy: 'gala', taints })))).effective);
    expect(effective).toMatchObject({
      maxPods: 80,
      clusterDNS: ['10.96.0.10'],
      makeIPTablesUtilChains: false,
      serializeImagePulls: false,
      kubeReserved: { cpu: '0', memory: '0' },
      systemReserved: { cpu: '2', memory: '8Gi' },
      evictionHard: { 'memory.available': '2Gi', 'nodefs.available': '10%', 'imagefs.inodesFree': '5%' },
      failSwapOn: false,
      memorySwap: { swapBehavior: 'LimitedSwap' },
      staticPodPath: '/etc/kubernetes/manifests',
    });
  });

  test('the order of the files changes nothing', async () => {
    const dropIns = Object.entries(onHost(aPool({ machine: swapping, kubelet: pinned, taints })));
    const turned = dropIns.map(([name, text], index) => [`${90 - index}-${name}`, text] as const);
    const [there, back] = await Promise.all([dropIns, turned].map((files) => kubeletReads(BASE, Object.fromEntries(files))));
    expect(back?.effective).toBe(there?.effective);
    expect(there?.effective).toContain('maxPods: 80');
  });

  test('an instance knows its providerID', async () => {
    expect((await kubeletReads(BASE, onHost(anEc2Pool()))).effective).toContain('providerID: aws:///ap-northeast-1a/i-0abc');
  });

  test('of any pool without an error', async () => {
    const clean = anyPool.filter((props) => kubeletProfile(props).problems.every(({ severity }) => severity !== 'error'));
    await fc.assert(
      fc.asyncProperty(clean, async (props) => expect(await kubeletValidates(BASE, onHost(props))).toEqual([])),
      { numRuns: 25 },
    );
  });

  describe('refuses what synth refuses', () => {
    test.each<[string, KubeletProfileProps, string]>([
      ['image thresholds out of order', aPool({ kubelet: { imageGCHighThresholdPercent: 80 } }), 'imageGCLowThresholdPercent'],
      [
        'critical pods with more than the shutdown',
        aPool({ kubelet: { shutdownGracePeriodSeconds: 30, shutdownGracePeriodCriticalPodsSeconds: 31 } }),
        'shutdownGracePeriodCriticalPods',
      ],
      [
        'reserved CPUs by number on EKS',
        anEc2Pool({ services: 'kube-proxy', join: { eks: 'cloud-a' }, kubelet: { reservedSystemCPUs: '0' } }),
        'reservedSystemCPUs',
      ],
      ['a CPU list that is none', aPool({ kubelet: { reservedSystemCPUs: '1-0' } }), 'reservedSystemCPUs'],
    ])('%s', async (_, pool, field) => {
      expect(kubeletProfile(pool).problems.map(({ path }) => path.split('.').at(-1))).toContainEqual(expect.stringContaining(field));
      expect(await kubeletValidates(pool.join?.eks === undefined ? BASE : NODEADM_BASE, onHost(pool))).toContainEqual(
        expect.stringContaining(field),
      );
    });
  });
});
