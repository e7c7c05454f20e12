/**
 * What an operator may set of a pool's kubelets. Fields, bounds and prose are lib/api/kubelet.ts', which checks each by
 * itself when a definition is parsed; the parts of the profile check what goes together.
 */
import type * as z from 'zod';
import type { kubelet } from '../../lib/api/kubelet.ts';

type Checked = z.output<typeof kubelet>;
type ReadOnly<T> = T extends (infer Item)[]
  ? readonly ReadOnly<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadOnly<T[K]> }
    : T;

export type EvictionSignal = keyof NonNullable<Checked['evictionHard']>;
/** Signal → quantity or percentage; those that are not named keep their defaults. */
export type Thresholds = Readonly<Partial<Record<EvictionSignal, string>>>;

export type KubeletOptions = ReadOnly<Omit<Checked, 'evictionHard' | 'evictionSoft'>> & {
  readonly evictionHard?: Thresholds;
  readonly evictionSoft?: Thresholds;
};
