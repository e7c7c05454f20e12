/** KubeletProfile as a whole: which files, that they say one thing, and that nothing bad gets past the problems. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { type DropIn, mergedConfig, setTwice } from '../../constructs/host-files/kubelet-configuration.ts';
import { type HostFile, type KubeletProfileProps, kubeletProfile } from '../../constructs/kubelet-profile.ts';
import { sentence } from '../../lib/api/problem.ts';
import { aPool, dropInsOf, GiB, MiB, textOf } from './host-files/a-pool.ts';
import { anyPool } from './host-files/any-pool.ts';

const racks = { r13: ['bj-a-r13-01'], r12: ['bj-a-r12-02', 'bj-a-r12-01'] };
const web = aPool({
  racks,
  datacenter: 'bj-a',
  machine: { cpu: 64, memoryBytes: 256 * GiB, swapBytes: 64 * GiB, reserved: { cpu: 2, memoryBytes: 8 * GiB } },
  wiredBy: 'gala',
  locks: 'enforced',
});

test('a racked pool is drop-ins, flags by rack, an inventory, sysctl, swap units and a page', () => {
  expect(kubeletProfile(web).files.map(({ path }) => path)).toEqual([
    'APPLY.md',
    'etc/containerd/conf.d/40-gala-network.toml',
    'etc/kubernetes/kubelet.conf.d/30-gala-base.conf',
    'etc/kubernetes/kubelet.conf.d/40-gala-network.conf',
    'etc/kubernetes/kubelet.conf.d/50-gala-reservations.conf',
    'etc/kubernetes/kubelet.conf.d/60-gala-managers.conf',
    'etc/kubernetes/kubelet.conf.d/70-gala-swap.conf',
    'etc/sysctl.d/90-gala.conf',
    'etc/systemd/system/gala-swapfile.service',
    'etc/systemd/system/kubelet.service.d/50-gala.conf',
    'etc/systemd/system/var-lib-gala-swapfile.swap',
    'inventory.ini',
    'racks/r12/etc/default/gala-kubelet',
    'racks/r13/etc/default/gala-kubelet',
  ]);
});

test("a drop-in reads as the kubelet's own words", () => {
  expect(
    textOf(web, 'etc/kubernetes/kubelet.conf.d/40-gala-network.conf'),
  ).toBe(`# Rendered from cluster bj-a, pool web. Change the definition, not this file.
# maxPods: the pods this node can wire, its host-network pods, and 5 that others bring.
# No kube-proxy, and pods are wired without iptables: nobody needs the chains of the kubelet.
# Taints count when a node registers; on a node that is there already, use \`kubectl taint\`.
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
maxPods: 80
makeIPTablesUtilChains: false
registerWithTaints:
  - key: gala.internal/pool
    value: web
    effect: NoSchedule
`);
});

test('a problem reads as a sentence with its remedy', () => {
  const [problem] = kubeletProfile(aPool({ swap: 'limited' })).problems;
  expect(problem && sentence(problem)).toBe(
    "pools.web.machine.swap: containers are to swap, but the machine has no swap; a size such as 64Gi. Give `machine.swap` a size, or set swap to 'none'.",
  );
});

type Amounts = Readonly<Record<string, string>>;
/** The merged configuration, as far as the rules below read it. */
interface Told {
  readonly maxPods: number;
  readonly imageGCLowThresholdPercent: number;
  readonly imageGCHighThresholdPercent: number;
  readonly containerLogMaxFiles: number;
  readonly maxParallelImagePulls: number;
  readonly serializeImagePulls: boolean;
  readonly shutdownGracePeriod: string;
  readonly shutdownGracePeriodCriticalPods: string;
  readonly crashLoopBackOff?: { readonly maxContainerRestartPeriod: string };
  readonly evictionHard: Amounts;
  readonly evictionSoft: Amounts;
  readonly evictionSoftGracePeriod: Amounts;
  readonly systemReserved?: Amounts;
  readonly reservedSystemCPUs?: string;
  readonly cpuManagerPolicy: string;
  readonly cpuManagerPolicyOptions?: Amounts;
  readonly memoryManagerPolicy: string;
  readonly reservedMemory?: readonly { readonly limits: { readonly memory: string } }[];
  readonly failSwapOn: boolean;
  readonly memorySwap: { readonly swapBehavior: string };
}

/** What an instance of the pool is told, drop-ins in files or merged for nodeadm. */
function told(files: readonly HostFile[]): Told {
  const nodeadm = files.find(({ path }) => path === 'user-data/nodeadm.txt');
  if (nodeadm !== undefined)
    return parse(nodeadm.text.split('\n--GALA\n')[1]?.split('\n\n').slice(1).join('\n\n') ?? '').spec.kubelet.config;
  return mergedConfig(dropInsOf(files).map(({ name, config }): DropIn => ({ name, config, because: [] }))) as unknown as Told;
}

describe('of any pool', () => {
  test('no list and no map key is set in two files, so their order changes nothing', () => {
    fc.assert(
      fc.property(anyPool, (props) => {
        const dropIns = dropInsOf(kubeletProfile(props).files).map(({ name, config }): DropIn => ({ name, config, because: [] }));
        expect(setTwice(dropIns)).toEqual([]);
        expect(mergedConfig([...dropIns].reverse())).toEqual(mergedConfig(dropIns));
      }),
    );
  });

  test('no file is taken for a manifest, leaves its folder, or hides where it comes from', () => {
    fc.assert(
      fc.property(anyPool, (props) => {
        for (const { path, text } of kubeletProfile(props).files) {
          expect(path).toMatch(/^[a-zA-Z0-9][-a-zA-Z0-9_.]*(\/[a-zA-Z0-9][-a-zA-Z0-9_.]*)*$/);
          expect(path).not.toMatch(/\.ya?ml$/);
          expect(text.split('\n').slice(0, 2).join('\n')).toContain(`Rendered from cluster bj-a, pool ${props.pool}.`);
          expect(text).toMatch(/[^\n]\n+$/);
        }
      }),
    );
  });

  test('a path stands once', () => {
    fc.assert(
      fc.property(anyPool, (props) => {
        const paths = kubeletProfile(props).files.map(({ path }) => path);
        expect(new Set(paths).size).toBe(paths.length);
      }),
    );
  });

  test('the order things were typed in changes no byte', () => {
    const shuffled = <T>(record: Readonly<Record<string, T>>) => Object.fromEntries(Object.entries(record).reverse());
    fc.assert(
      fc.property(anyPool, (props) => {
        const turned: KubeletProfileProps = {
          ...shuffled(props as unknown as Record<string, unknown>),
          ...props,
          ...(props.racks && {
            racks: shuffled(Object.fromEntries(Object.entries(props.racks).map(([rack, hosts]) => [rack, [...hosts].reverse()]))),
          }),
          ...(props.labels && { labels: shuffled(props.labels) }),
          ...(props.taints && { taints: [...props.taints].reverse() }),
          ...(props.kubelet && { kubelet: shuffled(props.kubelet as Record<string, unknown>) }),
        };
        expect(kubeletProfile(turned).files).toEqual(kubeletProfile(props).files);
      }),
    );
  });

  test('without an error, a kubelet would start on it', () => {
    let clean = 0;
    fc.assert(
      fc.property(anyPool, (props) => {
        const { files, problems } = kubeletProfile(props);
        if (problems.some(({ severity }) => severity === 'error')) return;
        clean++;
        expect(wouldNotStart(told(files), props)).toEqual([]);
      }),
      { numRuns: 500 },
    );
    // Else the property says nothing.
    expect(clean).toBeGreaterThan(50);
  });
});

/** The kubelet's own rules, said once more in other words: ValidateKubeletConfiguration and the managers' start. */
function wouldNotStart(config: Told, { machine }: KubeletProfileProps): readonly string[] {
  const bytes = (quantity: string) =>
    Number.parseFloat(quantity) * ({ Ki: 2 ** 10, Mi: MiB, Gi: GiB, Ti: 2 ** 40 }[quantity.replace(/[0-9.]/g, '')] ?? 1);
  const seconds = (duration: string) => Number.parseInt(duration, 10);
  const threshold = config.evictionHard['memory.available'] ?? '';
  const evicted = threshold.endsWith('%') ? (Number.parseFloat(threshold) / 100) * (machine?.memoryBytes ?? 0) : bytes(threshold);
  const reserved = config.systemReserved ?? { cpu: '0', memory: '0' };
  const { swapBehavior } = config.memorySwap;
  const critical = seconds(config.shutdownGracePeriodCriticalPods);
  const backOff = seconds(config.crashLoopBackOff?.maxContainerRestartPeriod ?? '300s');
  const kept = (config.reservedMemory ?? []).reduce((sum, { limits }) => sum + bytes(limits.memory), 0);
  const rules: Record<string, boolean> = {
    'maxPods is positive': config.maxPods >= 1,
    'image thresholds are in order':
      config.imageGCLowThresholdPercent < config.imageGCHighThresholdPercent && config.imageGCHighThresholdPercent <= 100,
    'two log files': config.containerLogMaxFiles > 1,
    'pulls agree': config.maxParallelImagePulls >= 1 && !(config.serializeImagePulls && config.maxParallelImagePulls > 1),
    'critical pods get a part': critical >= 0 && critical <= seconds(config.shutdownGracePeriod),
    'back-off is 1 to 300 s': backOff >= 1 && backOff <= 300,
    'soft thresholds have grace periods': Object.keys(config.evictionSoft).every((signal) => signal in config.evictionSoftGracePeriod),
    'something is left to pods': machine === undefined || bytes(reserved.memory ?? '') + evicted < machine.memoryBytes,
    'static CPUs are whole':
      config.cpuManagerPolicy !== 'static' || config.reservedSystemCPUs !== undefined || /^[1-9][0-9]*$/.test(reserved.cpu ?? ''),
    'the none policy has no options': config.cpuManagerPolicy === 'static' || config.cpuManagerPolicyOptions === undefined,
    'static memory adds up': config.memoryManagerPolicy !== 'Static' || kept === bytes(reserved.memory ?? '') + evicted,
    'swap is known': ['NoSwap', 'LimitedSwap'].includes(swapBehavior),
    'swap is there and allowed': swapBehavior !== 'LimitedSwap' || ((machine?.swapBytes ?? 0) > 0 && !config.failSwapOn),
  };
  return Object.keys(rules).filter((rule) => !rules[rule]);
}
