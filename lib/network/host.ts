/** Host: what a Node says that the network asks about: its pool and rack, which machine it is, whether it is ready. Pure. */
import type { V1Node } from '@kubernetes/client-node';
import type { Manifest } from '../api/manifest.ts';
import { POOL_LABEL, RACK_LABEL } from '../api/model.ts';

export interface Host {
  readonly name: string;
  readonly uid: string;
  /** Label `gala.internal/pool`. */
  readonly pool?: string;
  /** Label `gala.internal/rack`. */
  readonly rack?: string;
  readonly ready: boolean;
  /** `status.nodeInfo.machineID`. */
  readonly machineID?: string;
  /** `spec.providerID`. */
  readonly providerID?: string;
}

/** Hosts by name. */
export interface Hosts {
  get(name: string): Host | undefined;
  values(): Iterable<Host>;
}

type NodeObject = Pick<Manifest<V1Node>, 'spec' | 'status'> & {
  readonly metadata: { readonly name: string; readonly uid: string; readonly labels?: Readonly<Record<string, string>> };
};

export function hostOf({ metadata, spec, status }: NodeObject): Host {
  return {
    name: metadata.name,
    uid: metadata.uid,
    pool: said(metadata.labels?.[POOL_LABEL]),
    rack: said(metadata.labels?.[RACK_LABEL]),
    ready: status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    machineID: said(status?.nodeInfo?.machineID),
    providerID: said(spec?.providerID),
  };
}

/** Whether nothing changed that anybody here asks about: most changes of a Node are its heartbeats. */
export function sameHost(a: Host, b: Host): boolean {
  return (Object.keys(a) as (keyof Host)[]).every((key) => a[key] === b[key]);
}

/** A kubelet that could not read a value sends an empty one. */
const said = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
