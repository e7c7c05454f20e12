/**
 * Kubelet drop-ins: KubeletConfiguration fragments for `--config-dir`, one a concern.
 * The kubelet merges them over `--config` in the order of their names, as a JSON merge patch (RFC 7396): maps key by key,
 * lists as a whole (mergeKubeletConfigurations in cmd/kubelet/app/server.go). So that no file of ours silently undoes
 * another, no list and no map key is set in two of them: `setTwice` finds such keys.
 */
import { stringify } from 'yaml';
import { commented, type HostFile, type Origin } from './host-file.ts';

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

type Amounts = Readonly<Record<string, string>>;

/** The fields Gala sets, in the kubelet's own words (kubelet.config.k8s.io/v1beta1); all exist from 1.35 to 1.37. */
export interface KubeletConfiguration {
  readonly authentication?: {
    readonly anonymous: { readonly enabled: boolean };
    readonly webhook: { readonly enabled: boolean };
    readonly x509: { readonly clientCAFile: string };
  };
  readonly authorization?: { readonly mode: 'Webhook' };
  readonly readOnlyPort?: number;
  readonly rotateCertificates?: boolean;
  readonly serverTLSBootstrap?: boolean;
  readonly clusterDNS?: readonly string[];
  readonly clusterDomain?: string;
  readonly providerID?: string;
  readonly registerWithTaints?: readonly Taint[];
  readonly maxPods?: number;
  readonly makeIPTablesUtilChains?: boolean;
  readonly podPidsLimit?: number;
  readonly containerLogMaxSize?: string;
  readonly containerLogMaxFiles?: number;
  readonly imageGCHighThresholdPercent?: number;
  readonly imageGCLowThresholdPercent?: number;
  readonly imageMaximumGCAge?: string;
  readonly serializeImagePulls?: boolean;
  readonly maxParallelImagePulls?: number;
  readonly shutdownGracePeriod?: string;
  readonly shutdownGracePeriodCriticalPods?: string;
  readonly crashLoopBackOff?: { readonly maxContainerRestartPeriod: string };
  readonly failSwapOn?: boolean;
  readonly memorySwap?: { readonly swapBehavior: 'NoSwap' | 'LimitedSwap' };
  readonly systemReserved?: Amounts;
  readonly kubeReserved?: Amounts;
  readonly enforceNodeAllocatable?: readonly string[];
  readonly reservedSystemCPUs?: string;
  readonly evictionHard?: Amounts;
  readonly evictionSoft?: Amounts;
  readonly evictionSoftGracePeriod?: Amounts;
  readonly evictionMaxPodGracePeriod?: number;
  readonly cpuManagerPolicy?: string;
  readonly cpuManagerPolicyOptions?: Amounts;
  readonly memoryManagerPolicy?: string;
  readonly reservedMemory?: readonly { readonly numaNode: number; readonly limits: Amounts }[];
  readonly topologyManagerPolicy?: string;
  readonly topologyManagerScope?: string;
}

export interface DropIn {
  /** `30-gala-base.conf`. 30 to 79 are Gala's: below stands a site's base, above what a site wants to win. */
  readonly name: string;
  /** Why, in the file's head. */
  readonly because: readonly string[];
  readonly config: KubeletConfiguration;
}

/** `--config-dir` of every kubelet Gala configures. */
export const CONFIG_DIR = '/etc/kubernetes/kubelet.conf.d';

const TYPE = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' };

export function dropInFile(origin: Origin, dropIn: DropIn): HostFile {
  const body = stringify({ ...TYPE, ...dropIn.config }, { lineWidth: 0 });
  return { path: `${CONFIG_DIR.slice(1)}/${dropIn.name}`, text: commented(origin, dropIn.because, [body.trimEnd()]) };
}

/** All drop-ins as the one document that their merge is; for parts that take one (EKS' nodeadm). */
export function mergedConfig(dropIns: readonly DropIn[]): Record<string, unknown> {
  return dropIns.reduce<Record<string, unknown>>((all, { config }) => merge(all, config as Record<string, unknown>), { ...TYPE });
}

function merge(under: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    result[key] = isMap(value) && isMap(below) ? merge(below, value) : value;
  }
  return result;
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Keys that more than one drop-in sets, with the files that do: `evictionHard.memory.available`. A list is one key.
 * @returns empty when the order of the files does not matter
 */
export function setTwice(dropIns: readonly DropIn[]): readonly { readonly key: string; readonly files: readonly string[] }[] {
  const files = new Map<string, string[]>();
  for (const { name, config } of dropIns)
    for (const key of keysOf(config as Record<string, unknown>)) files.set(key, [...(files.get(key) ?? []), name]);
  return [...files].filter(([, names]) => names.length > 1).map(([key, names]) => ({ key, files: names }));
}

function keysOf(map: Record<string, unknown>, prefix = ''): string[] {
  return Object.entries(map).flatMap(([key, value]) => (isMap(value) ? keysOf(value, `${prefix}${key}.`) : [`${prefix}${key}`]));
}
