/**
 * Images: which ones a cluster pulls, and from where. A cluster with a `registry` pulls all of them from that one mirror,
 * by the last part of their path: `registry.k8s.io/kube-scheduler:v1.37.2` is `<registry>/kube-scheduler:v1.37.2`.
 */
import type { Cluster } from '../lib/api/cluster.ts';
import type { Minor } from '../lib/api/pool.ts';

export interface Image {
  /** Where it is published: `registry.k8s.io`. */
  readonly registry: string;
  /** Path there; the mirror keeps the last part. */
  readonly repository: string;
  readonly tag: string;
  /** `sha256:…`; wins over the tag, which stays for the reader. @default the tag alone says which */
  readonly digest?: string;
}

/** The version of Gala's programs; a test keeps it equal to package.json's. */
export const VERSION = '0.1.0';

/**
 * Gala's own image. No public registry serves it: `.internal` is reserved for private use, so nobody else can ever answer
 * under this name. Build it, then set `registry`, or give the name to your mirror.
 */
export const GALA: Image = { registry: 'registry.gala.internal', repository: 'gala', tag: VERSION };

/** Patch releases of kube-scheduler by minor: the newest published by 2026-11-24 (versions of the Go module k8s.io/kube-scheduler). */
const KUBE_SCHEDULER: Readonly<Record<Minor, string>> = { '1.35': 'v1.35.10', '1.36': 'v1.36.6', '1.37': 'v1.37.2' };

/** kube-scheduler of the cluster's own minor: a scheduler is never newer than its API server. */
export function kubeScheduler(minor: Minor): Image {
  return { registry: 'registry.k8s.io', repository: 'kube-scheduler', tag: KUBE_SCHEDULER[minor] };
}

/** As kubeadm 1.37 runs it (kubernetes/kubernetes pull request 141462). */
export const COREDNS: Image = { registry: 'registry.k8s.io', repository: 'coredns/coredns', tag: 'v1.14.7' };

/** @returns the reference that goes into a pod: `harbor.bj.intra/gala/kube-scheduler:v1.37.2` */
export function imageOf(cluster: Pick<Cluster, 'registry'>, image: Image): string {
  const last = image.repository.slice(image.repository.lastIndexOf('/') + 1);
  const path = cluster.registry === undefined ? `${image.registry}/${image.repository}` : `${cluster.registry}/${last}`;
  return `${path}:${image.tag}${image.digest === undefined ? '' : `@${image.digest}`}`;
}
